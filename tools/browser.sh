#!/bin/sh
# Brings Debian's Chromium for the tests, where that is possible without asking anybody. Never fails: tests that need a
# browser are skipped without one, and say so.
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
[ -n "${PLEINAIR_CHROMIUM:-}" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "no Chromium here: what needs a browser is skipped (apt-get install chromium brings it)" >&2
    exit 0
fi
echo "installing Chromium for the tests"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
get="apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::http::Timeout=60 -o Acquire::Retries=2"
if { timeout 300 $get update && timeout 900 $get install --no-install-recommends chromium; } >"$log" 2>&1; then
    rm -f "$log"
else
    tail -n 3 "$log" >&2
    echo "Chromium could not be installed: what needs a browser is skipped" >&2
fi
exit 0
