#!/usr/bin/env python3
"""The yardstick of `cartagena bench ledger`: GEOS on the same polygons, in degrees, as anybody would do it with shapely.

    pip install shapely && python3 benches/geos.py 100000
"""
import json
import math
import sys
import time

import shapely


def blob(place):
    """The same outline as `blob` in src/cli/bench.rs."""
    cluster, member = divmod(place, 5)
    lon = 0.2 + (cluster % 200) * 0.022 + member * 0.0012
    lat = 10.2 + (cluster // 200) * 0.018 + (member % 2) * 0.0009
    ring = []
    for corner in range(31):
        angle = corner / 31 * math.tau
        radius = 0.0014 * (1 + 0.3 * math.sin(angle * 3 + place))
        ring.append((lon + radius * math.cos(angle), lat + radius * math.sin(angle)))
    return shapely.Polygon(ring)


hazards = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
areas = [blob(place) for place in range(hazards)]
releases = [blob(place * 2 + 1) for place in range(hazards // 2)]
begun = time.perf_counter()
remaining = shapely.difference(shapely.unary_union(areas), shapely.unary_union(releases))
seconds = time.perf_counter() - begun
print(json.dumps({"geos": shapely.geos_version_string, "polygons": len(areas) + len(releases), "union_and_difference_s": seconds}))
