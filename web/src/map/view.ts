// One map on a page: MapLibre with our sources, north up, flat.

import 'maplibre-gl/dist/maplibre-gl.css';
import type { FeatureCollection } from 'geojson';
import {
  type GeoJSONSource,
  Map as MapLibre,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
  type VectorTileSource,
} from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import type { Programme } from '../programme';
import { addBaseMap } from './basemap';
import { meets } from './extent';
import { addImages } from './images';
import { type Bounds, FINEST, holesOf, keepHoles, type Layers, type Question, tilesOf } from './sources';
import { PROGRAMME, style, world } from './style';

export { PROGRAMME };

setWorkerUrl(workerUrl);

export function boundsOf(map: MapLibre): Bounds {
  const { _sw: southWest, _ne: northEast } = map.getBounds();
  const round = (degrees: number) => Math.round(degrees * 1e5) / 1e5;
  return [
    Math.max(-180, round(southWest.lng)),
    Math.max(-90, round(southWest.lat)),
    Math.min(180, round(northEast.lng)),
    Math.min(90, round(northEast.lat)),
  ];
}

const names = new WeakMap<MapLibre, string>();
let made = 0;

const nameOf = (map: MapLibre) => names.get(map) ?? '';

/** Dots of a printed map for each of its points: about 300 to the inch. */
const FINE = 3;

export function create(
  container: HTMLElement,
  programme: Programme,
  layers: Layers,
  question: Question,
  paper = false,
): MapLibre {
  const { west, south, east, north } = programme.extent;
  made += 1;
  const name = `map${made}`;
  const map = new MapLibre({
    container,
    style: style(programme.admin_units, layers, tilesOf(name, layers, question)),
    bounds: [west, south, east, north],
    fitBoundsOptions: { padding: 24 },
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxPitch: 0,
    attributionControl: { compact: true },
    // What is on the map can be printed.
    canvasContextAttributes: { preserveDrawingBuffer: true },
    ...(paper ? { pixelRatio: FINE, attributionControl: false } : {}),
  });
  names.set(map, name);
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  if (!paper) {
    map.addControl(new NavigationControl({ showCompass: false }), 'top-right');
    map.addControl(new ScaleControl({ maxWidth: 140, unit: 'metric' }), 'bottom-right');
  }
  // Before anything is drawn: ground whose pattern is not there yet is not drawn at all.
  map.once('style.load', () => addImages(map));
  map.on('load', () => {
    addBaseMap(map, paper);
    world().then((countries) => put(map, 'world', countries));
  });
  return map;
}

export function put(map: MapLibre, source: string, data: FeatureCollection): void {
  (map.getSource(source) as GeoJSONSource | undefined)?.setData(data);
}

/** Shows the ground of another day or basis. */
export function turnTo(map: MapLibre, layers: Layers, question: Question): void {
  const name = nameOf(map);
  keepHoles(name, () => false);
  (map.getSource(PROGRAMME) as VectorTileSource | undefined)?.setTiles(tilesOf(name, layers, question));
}

/** How many parts of what is in view could not be had. */
export function holesIn(map: MapLibre | null): number {
  return map ? holesOf(nameOf(map)) : 0;
}

/** A tile's box in degrees. */
function boxOf({ z, x, y }: { z: number; x: number; y: number }): Bounds {
  const side = 2 ** z;
  const lon = (column: number) => (column / side) * 360 - 180;
  const lat = (row: number) => (Math.atan(Math.sinh(Math.PI * (1 - (2 * row) / side))) * 180) / Math.PI;
  return [lon(x), lat(y + 1), lon(x + 1), lat(y)];
}

/** Forgets holes that are out of sight. */
export function lookForHoles(map: MapLibre): void {
  const view = boundsOf(map);
  const zoom = Math.min(FINEST, Math.floor(map.getZoom()));
  keepHoles(nameOf(map), (tile) => tile.z === zoom && meets(boxOf(tile), view));
}
