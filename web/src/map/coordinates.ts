// A place as people write it: decimal degrees, degrees-minutes-seconds, UTM, MGRS.

import Dms from 'geodesy/dms.js';
import LatLon from 'geodesy/latlon-ellipsoidal.js';
import Mgrs, { LatLon as LatLonMgrs } from 'geodesy/mgrs.js';
import Utm, { LatLon as LatLonUtm } from 'geodesy/utm.js';
import type { Place } from './measure';

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

const MGRS = /^(\d{1,2})([C-HJ-NP-X])\s*([A-HJ-NP-Z]{2})\s*(?:(\d{1,5})\s+(\d{1,5})|(\d{2,10}))$/i;
const UTM = /^\d{1,2}\s+[NS]\s+\d+(\.\d+)?\s+\d+(\.\d+)?$/i;

/** Reads what `write` writes, and what people make of it; nothing where it is no place. */
export function read(text: string): Place | null {
  const trimmed = text.trim();
  try {
    if (UTM.test(trimmed)) return onEarth(Utm.parse(trimmed.toUpperCase()).toLatLon());
    const grid = MGRS.exec(trimmed);
    if (grid) return onEarth(Mgrs.parse(spaced(grid)).toUtm().toLatLon());
  } catch {
    return null;
  }
  return readDegrees(trimmed);
}

/** A reference in the grid with its parts set apart. */
function spaced([, zone = '', band = '', square = '', east, north, both = '']: string[]): string {
  const half = both.length / 2;
  const [easting, northing] = [east ?? both.slice(0, half), north ?? both.slice(half)];
  return `${zone.padStart(2, '0')}${band} ${square} ${easting} ${northing}`.toUpperCase();
}

/** Latitude and longitude, in this order or each with its letter. */
function readDegrees(text: string): Place | null {
  const parts = text.includes(',')
    ? text.split(',')
    : text.split(/(?<=[NSEW])\s+(?=\S)|(?<=\d)\s+(?=[-+]?\d+(?:\.\d+)?$)/i);
  if (parts.length !== 2) return null;
  const [first, second] = parts as [string, string];
  const turned = /[EW]\s*$/i.test(first) || /[NS]\s*$/i.test(second);
  const [lat, lon] = turned ? [second, first] : [first, second];
  return onEarth({ lat: Dms.parse(lat), lon: Dms.parse(lon) });
}

function onEarth({ lat, lon }: { lat: number; lon: number }): Place | null {
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? [lon, lat] : null;
}
