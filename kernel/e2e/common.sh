# shellcheck shell=bash disable=SC2034 # the variables are used by the scripts that source this file
# Shared by prepare, beside and run: messages, and where JupyterLab is. Sourced by bash scripts under set -euo pipefail.

# Exit code of "cannot be had on this machine", as in automake's test protocol.
SKIPPED=77

# Debian's release whose JupyterLab and other front ends are used where the machine has none. Its Notebook is the classic one, 6.4.
ROOT_SUITE=trixie
ROOT_PACKAGES=(jupyterlab jupyter-notebook jupyter-console jupyter-nbconvert python3-jupytext python3-papermill python3-pip
	python3-jupyter-kernel-test python3-ipykernel python3-jupyterlab-widgets)

E2E=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
REPO=$(cd -- "$E2E/../.." && pwd -P)
CACHE=${PERIJOVE_E2E_CACHE:-$HOME/.cache/perijove-e2e}
# A change of what the root holds is a change of its name: an old one is never taken for a new one.
root_of() { # SUITE PACKAGE...
	echo "$CACHE/$1-$(printf '%s ' "${@:2}" | cksum | cut -d' ' -f1)"
}
ROOT=$(root_of "$ROOT_SUITE" "${ROOT_PACKAGES[@]}")

# Mounts and processes made under this end with its process, however it ends.
NAMESPACES=(unshare --mount --propagation private --pid --fork --kill-child)

say() { printf 'e2e: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
skip() { say "SKIPPED: $*"; exit "$SKIPPED"; }
have() { command -v "$1" >/dev/null 2>&1; }

# retry COMMAND... tries three times: archives have hiccups.
retry() {
	"$@" || { sleep 5 && "$@"; } || { sleep 20 && "$@"; }
}

# jupyter_place says where JupyterLab and the other front ends are: "host", "root", or nothing.
jupyter_place() {
	if [ -x /usr/bin/jupyter-lab ] && [ -x /usr/bin/papermill ] && [ -x /usr/bin/jupytext ] && [ -x /usr/bin/jupyter-console ]; then
		echo host
	elif [ -e "$ROOT/.complete" ]; then
		echo root
	fi
}

# notebook6_place is the same for Notebook 6, of which the machine may have a later release.
notebook6_place() {
	if [ -x /usr/bin/jupyter-notebook ] && [[ $(/usr/bin/jupyter-notebook --version 2>/dev/null) == 6.* ]]; then
		echo host
	elif [ -e "$ROOT/.complete" ]; then
		echo root
	fi
}
