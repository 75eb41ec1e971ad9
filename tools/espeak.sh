#!/bin/sh
# Brings Debian's espeak-ng for the tests, where that is possible without asking anybody. Never fails: tests that speak
# are skipped without it, and say so. It is a program of its own (GPL-3), never a library inside Pleinair.
command -v espeak-ng >/dev/null 2>&1 && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "no espeak-ng here: what speaks is skipped (apt-get install espeak-ng brings it)" >&2
    exit 0
fi
echo "installing espeak-ng for the tests"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
get="apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::http::Timeout=60 -o Acquire::Retries=2"
if { timeout 300 $get update && timeout 300 $get install --no-install-recommends espeak-ng; } >"$log" 2>&1; then
    rm -f "$log"
else
    tail -n 3 "$log" >&2
    echo "espeak-ng could not be installed: what speaks is skipped" >&2
fi
exit 0
