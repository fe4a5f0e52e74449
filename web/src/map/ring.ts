import type { Position } from 'geojson';

/** A ring's corners, each once: most write the first again at the end, and some tablets do not. */
export function cornersOf(ring: Position[]): Position[] {
  const [first, last] = [ring[0], ring.at(-1)];
  const isClosed = ring.length > 1 && first?.[0] === last?.[0] && first?.[1] === last?.[1];
  return isClosed ? ring.slice(0, -1) : ring;
}
