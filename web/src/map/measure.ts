// Distances, bearings and areas on WGS 84 by Karney's method, the one that the server measures with.

import { Geodesic, PolygonArea } from 'geographiclib-geodesic';
import type { FeatureCollection } from 'geojson';

export type Place = [lon: number, lat: number];

export interface Measure {
  /** Along the line, m. */
  length: number;
  /** Of the last leg, degrees from true north. */
  bearing: number | null;
  /** Of the closed ring, m²; of three places and more. */
  area: number | null;
}

const { WGS84 } = Geodesic;

export function measure(places: Place[]): Measure {
  let length = 0;
  let bearing: number | null = null;
  for (let place = 1; place < places.length; place++) {
    const [[lon1, lat1], [lon2, lat2]] = [places[place - 1] as Place, places[place] as Place];
    const leg = WGS84.Inverse(lat1, lon1, lat2, lon2);
    length += leg.s12 ?? 0;
    bearing = ((leg.azi1 ?? 0) + 360) % 360;
  }
  return { length, bearing, area: places.length < 3 ? null : areaOf(places) };
}

function areaOf(ring: Place[]): number {
  const polygon = new PolygonArea.PolygonArea(WGS84, false);
  for (const [lon, lat] of ring) polygon.AddPoint(lat, lon);
  return Math.abs(polygon.Compute(false, true).area ?? 0);
}

/** The measured line, its corners and – if it is `closed` – the ring that it closes. */
export function drawn(places: Place[], closed = true): FeatureCollection {
  const features: FeatureCollection['features'] = places.map((place) => ({
    type: 'Feature',
    properties: {},
    geometry: { type: 'Point', coordinates: place },
  }));
  if (places.length > 1) {
    features.push({ type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: places } });
  }
  if (closed && places.length > 2) {
    const ring = [...places, places[0] as Place];
    features.push({ type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [ring] } });
  }
  return { type: 'FeatureCollection', features };
}
