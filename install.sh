#!/bin/sh
# install.sh  builds Perijove, a Jupyter kernel for Go, and installs it for this
# user: the program, the executable of the process that runs the cells, and the
# kernelspec. Then it runs the first notebook as a test. It needs Go, but neither
# Jupyter nor Python. The installed files work offline, and after this folder is
# moved or deleted.
#
#   ./install.sh               install, or replace an installation
#   ./install.sh --uninstall   remove the installed files
#   ./install.sh --help        print this text
#
# PREFIX            the program goes to $PREFIX/bin (default: ~/.local)
# JUPYTER_DATA_DIR  the kernelspec goes to $JUPYTER_DATA_DIR/kernels/perijove
#                   (default: ~/.local/share/jupyter)
set -eu

say() { printf '%s\n' "$*"; }
die() {
	printf 'install.sh: %s\n' "$1" >&2
	shift
	for line; do printf '  %s\n' "$line" >&2; done
	exit 1
}

usage() { sed -n '2,/^set/s/^#\( \|$\)//p' "$0"; }

# quoted prints a word as a shell reads it.
quoted() {
	case $1 in
	*[!A-Za-z0-9_/.:@%+=-]*) printf "'%s'" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")" ;;
	*) printf '%s' "$1" ;;
	esac
}

: "${HOME:?HOME is not set: set it to the folder below which to install}"
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
repo=$(CDPATH='' cd -- "$(dirname -- "$script")" && pwd -P)
bin=${PREFIX:-$HOME/.local}/bin
program=$bin/perijove
data=${XDG_DATA_HOME:-$HOME/.local/share}
kernelspec=${JUPYTER_DATA_DIR:-$data/jupyter}/kernels/perijove
cache=${XDG_CACHE_HOME:-$HOME/.cache}/perijove
proof=$data/perijove
html=$proof/01-shared-x.html
notebook=$repo/notebooks/01-shared-x.ipynb

# minor prints the M of a version such as go1.M.P.
minor() { printf '%s\n' "$1" | sed -n 's/.*go1\.\([0-9][0-9]*\).*/\1/p'; }

check_go() {
	command -v go >/dev/null 2>&1 || die "Go is not on PATH." \
		"Install it from https://go.dev/dl/ (or put the bin folder of an installed Go on PATH)," \
		"then run this again."
	wanted=$(sed -n 's/^go \(1\.[0-9]*\).*/\1/p' "$repo/go.mod")
	found=$(cd / && GOTOOLCHAIN=local go env GOVERSION)
	# Go 1.21 and newer download the wanted version if they are too old, unless GOTOOLCHAIN forbids it.
	used=$(cd "$repo" && go env GOVERSION 2>/dev/null) || used=$found
	[ "$(minor "${used:-go1.0}")" -ge "${wanted#1.}" ] || die "Perijove needs Go $wanted or newer, but $(command -v go) is $found." \
		"Install it from https://go.dev/dl/, then run this again."
	system=$(go env GOOS)/$(go env GOARCH)
	[ "$system" = linux/amd64 ] || die "Perijove runs only on linux/amd64; this is $system."
}

build() {
	say "Building with $used ..."
	mkdir -p "$bin"
	# Git refuses to read a clone that belongs to another user. Then the program is built without Git's revision.
	stamp=auto
	git -C "$repo" rev-parse HEAD >/dev/null 2>&1 || stamp=false
	new=$bin/.perijove.$$
	trap 'rm -f "$new"' EXIT
	# Without cgo, the program needs no C library, which would use 1 MB of memory.
	(cd "$repo" && CGO_ENABLED=0 GOWORK=off go build -buildvcs=$stamp -o "$new" ./kernel/cmd/perijove) || die "the build failed." \
		"The first build fetches Go modules: it needs the network, or a module cache that has them."
	# mv replaces the file, so that a running kernel keeps the program that it was started from.
	mv -f "$new" "$program"
	trap - EXIT
}

prove() {
	say "Running notebooks/01-shared-x.ipynb ..."
	mkdir -p "$proof"
	(cd "$proof" && "$program" run "$notebook" --html "$html") || die "the kernel is installed, but the first notebook failed." \
		"'$program doctor' says what is missing."
}

jupyter_hint() {
	if command -v jupyter-lab >/dev/null 2>&1 || [ -x /usr/bin/jupyter-lab ]; then
		say "In JupyterLab choose the kernel \"Go (Perijove)\", or open the notebook:"
		say "  jupyter lab $(quoted "$notebook")"
		return
	fi
	say "JupyterLab is not on PATH. One of these commands installs it; it then finds the kernel:"
	say "  sudo apt install jupyterlab      (Debian 13, Ubuntu with the package)"
	say "  sudo dnf install jupyterlab      (Fedora)"
	say "  pipx install jupyterlab          (anywhere with Python)"
	say "Then:  jupyter lab $(quoted "$notebook")"
	say "Without JupyterLab:  perijove run NOTEBOOK.ipynb --html NOTEBOOK.html"
}

path_hint() {
	case :$PATH: in
	*:"$bin":*) ;;
	*) say "$bin is not on PATH. To call perijove by its name:  export PATH=$(quoted "$bin"):\"\$PATH\"" ;;
	esac
}

install() {
	check_go
	build
	"$program" install
	prove
	say ""
	say "Perijove is installed: $program"
	say "The first notebook, executed: $html"
	jupyter_hint
	path_hint
}

# remove PATH deletes PATH and prints that, if it exists.
remove() {
	[ -e "$1" ] || [ -L "$1" ] || return 0
	chmod -R u+w "$1" 2>/dev/null || true # a module cache is read-only
	rm -rf -- "$1"
	say "Removed $1"
	removed=true
}

uninstall() {
	removed=false
	# Keep a kernelspec of the same name that starts another program. A kernelspec has the program's real path, without
	# symbolic links.
	real=$(cd -- "$bin" 2>/dev/null && pwd -P)/perijove || true
	if [ -e "$kernelspec/kernel.json" ] && ! grep -qF "\"$real\"" "$kernelspec/kernel.json"; then
		say "Kept $kernelspec, since it does not start $real"
	else
		remove "$kernelspec"
	fi
	remove "$program"
	remove "$cache"
	# A folder that the user has named in PERIJOVE_CACHE may contain other files.
	[ -z "${PERIJOVE_CACHE:-}" ] || say "Kept $PERIJOVE_CACHE, which PERIJOVE_CACHE names: remove it if nothing else is in it."
	remove "$proof"
	$removed || say "Nothing to remove: Perijove is not installed here (PREFIX, JUPYTER_DATA_DIR and HOME name the folders)."
}

case ${1:-} in
'') install ;;
--uninstall) uninstall ;;
-h | --help) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
