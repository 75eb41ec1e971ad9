#!/usr/bin/env bash
# The path of somebody who has just cloned the repository: an empty home, empty caches, no display, no camera, one
# command. Ends with 0 when the stage answers and a first picture was shown within LIMIT seconds (600).
#
#   tests/newcomer.sh [REPOSITORY]
set -euo pipefail
origin=${1:-$(cd "$(dirname "$0")/.." && pwd)}
limit=${LIMIT:-600}
port=${PORT:-8765}
root=$(mktemp -d)
log=$root/log
pid=
finish() {
    if [ -n "$pid" ]; then
        kill -TERM -- "-$pid" 2>/dev/null || true
        sleep 2
        kill -KILL -- "-$pid" 2>/dev/null || true
    fi
    rm -rf "$root"
    return 0
}
trap finish EXIT

git clone --quiet "$origin" "$root/pleinair"
mkdir "$root/home"
cd "$root/pleinair"
began=$(date +%s)
# What a new user has: a path, a language, and whatever their machine says about its package index.
keep=(PATH="$PATH" LANG=C.UTF-8 HOME="$root/home" TMPDIR="$root")
for name in $(compgen -e | grep -E '^(PIP_|SSL_|REQUESTS_CA|https?_proxy|HTTPS?_PROXY|NO_PROXY|no_proxy)' || true); do
    keep+=("$name=${!name}")
done
keep+=(PIP_NO_CACHE_DIR=1)
setsid env -i "${keep[@]}" make run ARGS="--port $port --no-browser" >"$log" 2>&1 &
pid=$!

fail() {
    echo "newcomer: $1" >&2
    sed 's/^/  | /' "$log" >&2
    exit 1
}
ask() { python3 - "$1" <<'PY'
import json, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=5) as answer:
    body = answer.read()
if sys.argv[1].endswith("report"):
    report = json.loads(body)
    print(report["frames"], report["fps"], (report["age_ms"] or {}).get("p50"))
    sys.exit(report["frames"] < 10)
sys.exit(b'id="stage"' not in body)
PY
}
while :; do
    kill -0 "$pid" 2>/dev/null || fail "make run ended"
    [ $(($(date +%s) - began)) -lt "$limit" ] || fail "nothing was shown within $limit s"
    if ask "http://127.0.0.1:$port/" >/dev/null 2>&1 && told=$(ask "http://127.0.0.1:$port/api/report" 2>/dev/null); then
        break
    fi
    sleep 1
done
took=$(($(date +%s) - began))
sed 's/^/  | /' "$log"
set -- $told
echo "newcomer: from the clone to the stage in $took s; $1 pictures, $2 fps, age $3 ms at the draw"
# Only what came after the install: pip itself asks rustc for its version, and rustup then writes into an empty home.
left=$(find "$root/home" -newer .venv/.run -type f -not -path '*/pleinair/*' | head)
[ -z "$left" ] || fail "written outside Pleinair's own folders: $left"
