#!/bin/sh
# Brings what the tests run beside Python, where that is possible without asking anybody: Debian's Chromium, and
# espeak-ng (GPL-3: a program of its own, never a library inside Pleinair). Never fails: tests that need one of them are
# skipped without it, and say so.
has() { command -v "$1" >/dev/null 2>&1; }
missing=""
has chromium || has chromium-browser || has google-chrome || has google-chrome-stable || [ -n "${PLEINAIR_CHROMIUM:-}" ] ||
    missing="$missing chromium"
has espeak-ng || missing="$missing espeak-ng"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! has apt-get; then
    echo "not here:$missing. What needs it is skipped (apt-get install$missing brings it)" >&2
    exit 0
fi
echo "installing$missing for the tests"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
get="apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::http::Timeout=60 -o Acquire::Retries=2"
if { timeout 300 $get update && timeout 900 $get install --no-install-recommends $missing; } >"$log" 2>&1; then
    rm -f "$log"
else
    tail -n 3 "$log" >&2
    echo "could not be installed:$missing. What needs it is skipped" >&2
fi
exit 0
