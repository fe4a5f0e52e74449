// A place as people write it: decimal degrees, degrees-minutes-seconds, UTM, MGRS.

import Dms from 'geodesy/dms.js';
import LatLon from 'geodesy/latlon-ellipsoidal.js';
import Mgrs, { LatLon as LatLonMgrs } from 'geodesy/mgrs.js';
import Utm, { LatLon as LatLonUtm } from 'geodesy/utm.js';
import type { Extent } from '../programme';
import { readDegrees } from './degrees';
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

/** The digits of the grid in two parts of the same length, or all together. */
const MGRS = /^(\d{1,2})([C-HJ-NP-X])\s*([A-HJ-NP-Z]{2})\s*(?:(\d{1,5})\s+(\d{1,5})|((?:\d\d){1,5}))$/i;
const UTM = /^(\d{1,2})\s*([NS])\s+(\d+(?:\.\d+)?)\s+(\d+(?:\.\d+)?)$/i;

/** Metres east that a zone has, with some that lie beyond its edge. */
const EASTINGS = [100_000, 900_000] as const;

/** Reads what `write` writes, and what people make of it; nothing where it is no place, or could be two. */
export function read(text: string, extent?: Extent): Place | null {
  // What was copied from a text from right to left brings its marks with it.
  const trimmed = text.replace(/[\u2066-\u2069]/g, '').trim();
  try {
    const utm = UTM.exec(trimmed);
    if (utm) return readUtm(utm, extent);
    const grid = MGRS.exec(trimmed);
    if (grid) return readGrid(grid);
  } catch {
    return null;
  }
  return onEarth(readDegrees(trimmed));
}

/** A reference in the grid; half of its digits are for each direction. */
function readGrid([, zone = '', band = '', square = '', east, north, both = '']: string[]): Place | null {
  const half = both.length / 2;
  const [easting, northing] = [east ?? both.slice(0, half), north ?? both.slice(half)];
  if (easting.length !== northing.length) return null;
  const spaced = `${zone.padStart(2, '0')}${band} ${square} ${easting} ${northing}`.toUpperCase();
  return placeOf(Mgrs.parse(spaced).toUtm());
}

/**
 * N is the north, whether the hemisphere is meant or the band from the equator. S is the southern hemisphere to some,
 * and to others the band from 32° to 40° N: it is read as what lies in the programme's extent.
 */
function readUtm([, zone, letter = '', easting, northing]: string[], extent?: Extent): Place | null {
  if (Number(easting) < EASTINGS[0] || Number(easting) > EASTINGS[1]) return null;
  const [north, south] = ['N', 'S'].map((half) => {
    try {
      return placeOf(Utm.parse(`${zone} ${half} ${easting} ${northing}`));
    } catch {
      return null;
    }
  });
  if (letter.toUpperCase() === 'N') return north ?? null;
  const band = north && north[1] >= 32 && north[1] < 40 ? north : null;
  const [found, ...more] = [band, south ?? null].filter((place) => place && isWithin(place, extent));
  return more.length === 0 ? (found ?? null) : null;
}

function placeOf(utm: Utm): Place | null {
  const { lat, lon } = utm.toLatLon();
  return onEarth([lon, lat]);
}

function onEarth(place: Place | null): Place | null {
  return place && Math.abs(place[1]) <= 90 && Math.abs(place[0]) <= 180 ? place : null;
}

/** Whether a place lies in the box of the country; without one nothing can be said against it. */
export function isWithin([lon, lat]: Place, extent: Extent | undefined): boolean {
  if (!extent) return true;
  const { west, south, east, north } = extent;
  const across = west <= east ? lon >= west && lon <= east : lon >= west || lon <= east;
  return across && lat >= south && lat <= north;
}
