// Latitude and longitude as people write them. What could be two places is none: a figure too much or too little, or
// minutes that are no minutes, must not be taken for ground somewhere else.

import type { Place } from './measure';

interface Angle {
  degrees: number;
  /** Which of the two its letter says it is. */
  axis: 'lat' | 'lon' | null;
}

/** Signs stand where they belong, or not at all: seconds without minutes may as well be minutes. */
const SIGNED = /^[\d.]+(\s*[°º˚]\s*|\s+|$)([\d.]+(\s*['′’]\s*|\s+|$)([\d.]+\s*(["″”]|['′’]{2}|$))?)?\s*$/;

const NUMBER = /^\d+(\.\d+)?$/;

/** Degrees, degrees and minutes, or all three; with a letter before or after them, or a sign. */
function angle(text: string): Angle | null {
  const [, before = '', sign = '', digits = '', after = ''] =
    /^\s*([NSEW]?)\s*([-+]?)\s*(\d[^NSEW]*?)\s*([NSEW]?)\s*$/i.exec(text) ?? [];
  const letter = (before || after).toUpperCase();
  if ((before && after) || (letter && sign)) return null;
  if (/[°º˚′'’″"”]/.test(digits) && !SIGNED.test(digits)) return null;
  const parts = digits.split(/[°º˚:′'’″"”\s]+/).filter((part) => part !== '');
  const [, minutes = 0, seconds = 0] = parts.map(Number);
  const whole = parts.slice(0, -1).every((part) => /^\d+$/.test(part));
  if (parts.length < 1 || parts.length > 3 || !parts.every((part) => NUMBER.test(part))) return null;
  if (!whole || minutes >= 60 || seconds >= 60) return null;
  const size = Number(parts[0]) + minutes / 60 + seconds / 3600;
  return {
    degrees: sign === '-' || letter === 'S' || letter === 'W' ? -size : size,
    axis: letter === '' ? null : letter === 'N' || letter === 'S' ? 'lat' : 'lon',
  };
}

/** The two halves of a place: by its comma, by its letters, or two bare numbers. */
function halves(text: string): string[] {
  if (text.includes(',')) return text.split(',');
  const [, ...found] =
    /^([^NSEW]+[NSEW])\s*([^NSEW]+[NSEW])$/i.exec(text) ??
    /^([NSEW][^NSEW]+)([NSEW][^NSEW]+)$/i.exec(text) ??
    /^([^\sNSEW]+)\s+([^\sNSEW]+)$/i.exec(text) ??
    [];
  return found;
}

/** Latitude first, or each with its letter. */
export function readDegrees(text: string): Place | null {
  const parts = halves(text);
  const [first, second] = parts.map(angle);
  if (parts.length !== 2 || !first || !second) return null;
  const turned = first.axis === 'lon' || second.axis === 'lat';
  const [lat, lon] = turned ? [second, first] : [first, second];
  if (lat.axis === 'lon' || lon.axis === 'lat') return null;
  return [lon.degrees, lat.degrees];
}
