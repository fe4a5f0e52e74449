// A place as people write it: decimal degrees, degrees-minutes-seconds, UTM, MGRS.

import Dms from 'geodesy/dms.js';
import LatLon from 'geodesy/latlon-ellipsoidal.js';
import { LatLon as LatLonMgrs } from 'geodesy/mgrs.js';
import { LatLon as LatLonUtm } from 'geodesy/utm.js';

export const FORMATS = ['dd', 'dms', 'utm', 'mgrs'] as const;
export type Format = (typeof FORMATS)[number];

/** Digits that say about a metre. */
export function write(lon: number, lat: number, format: Format): string {
  const turned = ((((lon + 180) % 360) + 360) % 360) - 180;
  if (format === 'dd') return `${lat.toFixed(6)}, ${turned.toFixed(6)}`;
  if (format === 'dms') {
    Dms.separator = ' ';
    return new LatLon(lat, turned).toString('dms', 2);
  }
  // Beyond 84° N and 80° S there are no zones.
  if (lat > 84 || lat < -80) return write(lon, lat, 'dd');
  if (format === 'utm') return new LatLonUtm(lat, turned).toUtm().toString(0);
  return new LatLonMgrs(lat, turned).toUtm().toMgrs().toString(10);
}
