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
import { addImages } from './images';
import { type Bounds, type Layers, type Question, tilesOf } from './sources';
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
  const map = new MapLibre({
    container,
    style: style(programme.admin_units, layers, tilesOf(layers, question)),
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
  (map.getSource(PROGRAMME) as VectorTileSource | undefined)?.setTiles(tilesOf(layers, question));
}
