#!/bin/sh
# Makes the virtual environment in $1 with a Python that is new enough; says what is missing where it cannot.
# PYTHON=... names one; else the newest of those on the PATH is taken.
set -eu
venv=$1
good='import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] and sys.implementation.name == "cpython"))'
found=
for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
    if command -v "$python" >/dev/null 2>&1 && "$python" -c "$good" >/dev/null 2>&1; then
        found=$python
        break
    fi
done
if [ -z "$found" ]; then
    echo "Pleinair needs Python 3.11 or newer, and there is none on the PATH" >&2
    echo "  try    apt-get install python3 python3-venv        (or PYTHON=/path/to/python make run)" >&2
    exit 1
fi
if ! "$found" -c 'import venv, ensurepip' >/dev/null 2>&1; then
    version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "this Python cannot make a virtual environment: its venv is a package of its own" >&2
    echo "  try    apt-get install python3-venv        (or python$version-venv)" >&2
    exit 1
fi
echo "making $venv with $("$found" --version)"
rm -rf "$venv"
"$found" -m venv "$venv"
