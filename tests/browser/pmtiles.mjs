// A small PMTiles archive (version 3), made here: one tile that stands for the whole country, vector or picture.

import { createRequire } from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { TileType, zxyToTileId } = require('pmtiles');
export { TileType };

const HEADER = 127;
const UNPACKED = 1;
const ZOOMS = [5, 6, 7, 8];

/** Every seven bits, the lowest first. */
function varint(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

const field = (number, bytes) => [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
const count = (number, value) => [...varint(number * 8), ...varint(value)];

/** A layer of a vector tile (Mapbox Vector Tile 2.1): `type` 2 is a line, 3 an area, of places in 4096 steps. */
export function layer(name, type, places) {
  const zigzag = (value) => varint(value < 0 ? -2 * value - 1 : 2 * value);
  const steps = places.map(([x, y], place) => {
    const [fromX, fromY] = place === 0 ? [0, 0] : places[place - 1];
    return [...zigzag(x - fromX), ...zigzag(y - fromY)];
  });
  const [first, ...rest] = steps;
  // MoveTo, LineTo, ClosePath.
  const geometry = [...varint(9), ...first, ...varint(rest.length * 8 + 2), ...rest.flat(), ...(type === 3 ? [15] : [])];
  const feature = [...count(3, type), ...field(4, geometry)];
  return field(3, [...count(15, 2), ...field(1, [...Buffer.from(name)]), ...field(2, feature), ...count(5, 4096)]);
}

function tilesOver({ west, south, east, north }) {
  const column = (lon, zoom) => Math.floor(((lon + 180) / 360) * 2 ** zoom);
  const row = (lat, zoom) => {
    const angle = (lat * Math.PI) / 180;
    return Math.floor(((1 - Math.asinh(Math.tan(angle)) / Math.PI) / 2) * 2 ** zoom);
  };
  const ids = [];
  for (const zoom of ZOOMS) {
    for (let x = column(west, zoom) - 1; x <= column(east, zoom) + 1; x++) {
      for (let y = row(north, zoom) - 1; y <= row(south, zoom) + 1; y++) ids.push(zxyToTileId(zoom, x, y));
    }
  }
  return ids.sort((one, other) => one - other);
}

/** The archive: every tile over the extent is the same one. */
export function archive(extent, type, tile, metadata) {
  const ids = tilesOver(extent);
  const column = (value) => ids.flatMap((_, place) => varint(value(place)));
  const directory = Buffer.from([
    ...varint(ids.length),
    ...column((place) => ids[place] - (ids[place - 1] ?? 0)),
    ...column(() => 1),
    ...column(() => tile.length),
    // Offset 0, plus one.
    ...column(() => 1),
  ]);
  const about = Buffer.from(JSON.stringify(metadata));
  const header = Buffer.alloc(HEADER);
  header.write('PMTiles');
  header[7] = 3;
  const places = [HEADER, directory.length, HEADER + directory.length, about.length];
  const tiles = HEADER + directory.length + about.length;
  for (const [place, value] of [...places, tiles, 0, tiles, tile.length, ids.length, ids.length, 1].entries()) {
    header.writeBigUInt64LE(BigInt(value), 8 + place * 8);
  }
  header.set([0, UNPACKED, UNPACKED, type, ZOOMS[0], ZOOMS.at(-1)], 96);
  for (const [place, degrees] of [extent.west, extent.south, extent.east, extent.north].entries()) {
    header.writeInt32LE(Math.round(degrees * 1e7), 102 + place * 4);
  }
  return Buffer.concat([header, directory, about, Buffer.from(tile)]);
}
