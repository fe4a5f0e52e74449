#!/usr/bin/env bash
# The same outlines as vector tiles of cartagena and of martin (https://martin.maplibre.org; `cargo install martin`), asked
# for in turn on one machine.
#
#   benches/tiles.sh postgres://postgres@127.0.0.1/bench [outlines]
#
# The database must be empty and have PostGIS at hand. Prints the rows of `cartagena bench tiles` as a table.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARTAGENA_DATABASE_URL="$1" CARTAGENA_LISTEN=127.0.0.1:18080 CARTAGENA_DATA
outlines="${2:-100000}"
cartagena="${CARGO_TARGET_DIR:-target}/release/cartagena"
CARTAGENA_DATA="$(mktemp -d)"
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$CARTAGENA_DATA"' EXIT

"$cartagena" migrate
"$cartagena" bench sync --mutations "$outlines" >/dev/null
psql --quiet "$1" <<'SQL'
create extension if not exists postgis;
create table outline as
select r.record_id::text as id, v.stage, v.organisation::text, r.contested, round(v.area_m2) as area_m2,
  v.properties::jsonb ->> 'classification' as classification, v.properties::jsonb ->> 'status' as status,
  v.properties::jsonb ->> 'date_identified' as date_identified, 'ap_mine' as contamination,
  st_multi(st_transform(st_setsrid(st_geomfromwkb(v.wkb), 4326), 3857))::geometry(MultiPolygon, 3857) as geom
from record r join version v on v.version_id = r.version;
create index on outline using gist (geom);
analyze outline;
SQL

json() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
once=$("$cartagena" user add looker --name Looker --role im_officer --new-organisation --organisation Authority --kind authority | sed 's/.*: //')
"$cartagena" serve >/dev/null 2>&1 &
martin --listen-addresses 127.0.0.1:18081 "$1" >/dev/null 2>&1 &
until curl -sf http://127.0.0.1:18080/readyz >/dev/null && curl -sf http://127.0.0.1:18081/health >/dev/null; do sleep 0.3; done
log_in() { curl -s http://127.0.0.1:18080/v1/auth/login -H 'Content-Type: application/json' -d "{\"login\":\"looker\",\"password\":\"$1\"}" | json access_token; }
curl -s http://127.0.0.1:18080/v1/auth/password -H "Authorization: Bearer $(log_in "$once")" -H 'Content-Type: application/json' \
  -d "{\"old\":\"$once\",\"new\":\"looks at a hundred thousand\"}" >/dev/null
# The index is made when somebody first looks.
curl -s -o /dev/null -w 'cartagena: %{time_total} s for the first tile, which fills the index\n' -H "Authorization: Bearer $(log_in 'looks at a hundred thousand')" \
  http://127.0.0.1:18080/tiles/hazardous_area/0/0/0
"$cartagena" bench tiles --header "Authorization: Bearer $(log_in 'looks at a hundred thousand')" \
  'http://127.0.0.1:18080/tiles/hazardous_area/{z}/{x}/{y}' 'http://127.0.0.1:18081/outline/{z}/{x}/{y}' |
  python3 -c '
import json, sys
print("zoom round  server     tiles  tiles/s  p50 ms  p99 ms  bytes")
for row in json.load(sys.stdin)["rows"]:
    server = "martin" if "18081" in row["address"] else "cartagena"
    print("%4d %-6s %-9s %6d %8d %7.2f %7.2f %6d" % (row["zoom"], row["round"], server, row["tiles"],
          row["tiles_per_s"], row["p50_ms"], row["p99_ms"], row["mean_bytes"]))'
for server in $(jobs -p); do
  echo "$(tr '\0' ' ' <"/proc/$server/cmdline" | cut -c1-60): $(grep VmHWM "/proc/$server/status")"
done
