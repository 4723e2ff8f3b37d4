# shellcheck shell=bash disable=SC2034 # the variables are used by the scripts that source this file
# Functions that prepare, beside and run share: messages, and the place of JupyterLab. Scripts source it after set -euo
# pipefail.

# Exit code for "not available on this machine", as in automake's test protocol.
SKIPPED=77

# The release of Debian whose JupyterLab and other front ends are used if the machine has none. Its Notebook is the
# classic one, 6.4.
ROOT_SUITE=trixie
ROOT_PACKAGES=(jupyterlab jupyter-notebook jupyter-console jupyter-nbconvert python3-jupytext python3-papermill python3-pip
	python3-jupyter-kernel-test python3-ipykernel python3-jupyterlab-widgets)

E2E=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
REPO=$(cd -- "$E2E/../.." && pwd -P)
CACHE=${PERIJOVE_E2E_CACHE:-$HOME/.cache/perijove-e2e}
# root_of prints the path of the root with these packages. Other packages give another path, so an old root is never
# used in place of a new one.
root_of() { # arguments: SUITE PACKAGE...
	echo "$CACHE/$1-$(printf '%s ' "${@:2}" | cksum | cut -d' ' -f1)"
}
ROOT=$(root_of "$ROOT_SUITE" "${ROOT_PACKAGES[@]}")

# A command under which mounts are made and processes started. When it ends, for whatever reason, these end, too.
NAMESPACES=(unshare --mount --propagation private --pid --fork --kill-child)

say() { printf 'e2e: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
skip() { say "SKIPPED: $*"; exit "$SKIPPED"; }
have() { command -v "$1" >/dev/null 2>&1; }

# retry COMMAND... runs a command up to three times, since downloads may fail temporarily.
retry() {
	"$@" || { sleep 5 && "$@"; } || { sleep 20 && "$@"; }
}

# jupyter_place prints where JupyterLab and the other front ends are: "host", "root", or nothing.
jupyter_place() {
	if [ -x /usr/bin/jupyter-lab ] && [ -x /usr/bin/papermill ] && [ -x /usr/bin/jupytext ] && [ -x /usr/bin/jupyter-console ]; then
		echo host
	elif [ -e "$ROOT/.complete" ]; then
		echo root
	fi
}

# notebook6_place prints the same for Notebook 6. The host may have a later release of Notebook, which does not count.
notebook6_place() {
	if [ -x /usr/bin/jupyter-notebook ] && [[ $(/usr/bin/jupyter-notebook --version 2>/dev/null) == 6.* ]]; then
		echo host
	elif [ -e "$ROOT/.complete" ]; then
		echo root
	fi
}
