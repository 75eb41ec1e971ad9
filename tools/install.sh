#!/bin/sh
# Installs Pleinair with the extras in $2 ("" for none) into the virtual environment $1, editable.
# On the platform for which exact versions with hashes were pinned, those; else, or where an index does not have them,
# whatever satisfies pyproject.toml.
set -eu
venv=$1 extras=${2:-}
python=$venv/bin/python
quiet="--disable-pip-version-check --quiet"
[ -t 1 ] && quiet="--disable-pip-version-check"
where=$("$python" -c 'import platform, sys
print("%s-%s-cp%d%d" % (platform.system().lower(), platform.machine(), *sys.version_info[:2]))')
case $extras in
    "") pins=requirements/$where.txt ;;
    *,*) pins=requirements/$where-all.txt ;;
    *) pins=requirements/$where-$extras.txt ;;
esac
if [ -f "$pins" ] && [ -z "${UNPINNED:-}" ]; then
    echo "installing the versions pinned in $pins (about 300 MB the first time)"
    if "$python" -m pip install $quiet --require-hashes --only-binary=:all: -r "$pins"; then
        exec "$python" -m pip install $quiet --no-deps -e .
    fi
    echo "the pinned versions could not be had; taking what pyproject.toml allows" >&2
fi
echo "installing Pleinair and what it needs (about 300 MB the first time)"
exec "$python" -m pip install $quiet -e ".${extras:+[$extras]}"
