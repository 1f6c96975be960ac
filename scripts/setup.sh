#!/usr/bin/env bash
# Makes .venv and installs the project with the extras named, in tested versions; does nothing if that stands already.
# Usage: bash scripts/setup.sh generators,test
set -euo pipefail
cd "$(dirname "$0")/.."
extras=$1

venv_works() { [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1; }

if ! venv_works; then
    for python in python3.11 python3.12 python3.13 python3 python; do
        command -v "$python" >/dev/null || continue
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        echo "Making .venv with $("$python" --version) ..."
        "$python" -m venv --clear .venv 2>/dev/null && break
    done
    venv_works || { echo "error: no Python 3.11 or newer with venv and pip was found; install one and try again" >&2; exit 2; }
fi

# what stands was installed from these files, with these extras
stamp=$(cat pyproject.toml constraints.txt | cksum)
[ "$(cat ".venv/installed-$extras" 2>/dev/null)" = "$stamp" ] && exit 0
# extras that an earlier call installed are kept
echo "Installing privbench[$extras] (the first time: a few minutes) ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[$extras]"
echo "$stamp" > ".venv/installed-$extras"
