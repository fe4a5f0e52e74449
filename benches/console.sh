#!/usr/bin/env bash
# How long people wait for the console with a country's outlines: makes one, serves it and has a browser look at it.
#
#   cargo build --release && CHROMIUM=/usr/bin/chromium benches/console.sh [outlines]
set -euo pipefail
cd "$(dirname "$0")/.."
outlines="${1:-100000}"
cartagena="${CARGO_TARGET_DIR:-target}/release/cartagena"
CARTAGENA_DATA="$(mktemp -d)"
export CARTAGENA_DATA CARTAGENA_LISTEN=127.0.0.1:18082
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$CARTAGENA_DATA"' EXIT

"$cartagena" migrate
"$cartagena" bench sync --mutations "$outlines" >/dev/null
# The map opens where the programme is.
"$cartagena" programme show | python3 -c '
import json, sys
programme = json.load(sys.stdin)
programme["extent"] = {"west": -0.1, "south": -0.1, "east": 5.1, "north": 2.1}
json.dump(programme, sys.stdout)' >"$CARTAGENA_DATA/programme.json"
"$cartagena" programme set "$CARTAGENA_DATA/programme.json"
once=$("$cartagena" user add looker --name Looker --role im_officer --new-organisation --organisation Authority --kind authority | sed 's/.*: //')
"$cartagena" serve >/dev/null 2>&1 &
export CONSOLE_URL="http://$CARTAGENA_LISTEN" CONSOLE_LOGIN=looker CONSOLE_PASSWORD='looks at a hundred thousand'
until curl -sf "$CONSOLE_URL/readyz" >/dev/null; do sleep 0.3; done
token=$(curl -s "$CONSOLE_URL/v1/auth/login" -H 'Content-Type: application/json' -d "{\"login\":\"looker\",\"password\":\"$once\"}" |
  sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -s "$CONSOLE_URL/v1/auth/password" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
  -d "{\"old\":\"$once\",\"new\":\"$CONSOLE_PASSWORD\"}" >/dev/null
node benches/console.mjs
echo "server: $(grep VmHWM "/proc/$(jobs -p)/status")"
