// One map on a page: MapLibre with our sources, north up, flat.

import 'maplibre-gl/dist/maplibre-gl.css';
import type { FeatureCollection } from 'geojson';
import {
  type GeoJSONSource,
  Map as MapLibre,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
} from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import { t } from '../i18n';
import type { Programme } from '../programme';
import { addBaseMap } from './basemap';
import { meets } from './extent';
import { addImages } from './images';
import { type Bounds, FINEST, type Layers, type Question, tilesAt } from './sources';
import { PROGRAMME, style, world } from './style';
import { askAgain, askAt, forget, holesOf, type Place, sourceOf, takeStale } from './tiles';

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
  askAt(name, tilesAt(layers, question));
  const map = new MapLibre({
    container,
    style: style(programme.admin_units, layers, sourceOf(name)),
    bounds: [west, south, east, north],
    fitBoundsOptions: { padding: 24 },
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxPitch: 0,
    attributionControl: { compact: true },
    locale: {
      'Map.Title': t('page.map'),
      'NavigationControl.ZoomIn': t('map.zoom_in'),
      'NavigationControl.ZoomOut': t('map.zoom_out'),
      'AttributionControl.ToggleAttribution': t('map.attribution'),
    },
    // Names are there at once: fading in, they would have everything drawn again and again.
    fadeDuration: 0,
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
  map.once('style.load', () => {
    addImages(map);
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
  askAt(nameOf(map), tilesAt(layers, question));
  reload(map);
}

/** Asks for every tile again; those that have not changed are told so. */
export function refresh(map: MapLibre): void {
  askAgain(nameOf(map));
  reload(map);
}

/** What is drawn anew in the same moment would not be asked for: that moment is let pass. */
function reload(map: MapLibre): void {
  map.once('render', () => names.has(map) && map.refreshTiles(PROGRAMME));
  map.triggerRepaint();
}

/** A tile's box in degrees. */
function boxOf({ z, x, y }: Place): Bounds {
  const side = 2 ** z;
  const lon = (column: number) => (column / side) * 360 - 180;
  const lat = (row: number) => (Math.atan(Math.sinh(Math.PI * (1 - (2 * row) / side))) * 180) / Math.PI;
  return [lon(x), lat(y + 1), lon(x + 1), lat(y)];
}

/** Whether a map that has come to rest shows what it was asked for last; what is not of that is asked for again. */
export function isSettled(map: MapLibre): boolean {
  const view = boundsOf(map);
  const zoom = Math.min(FINEST, Math.floor(map.getZoom()));
  const isSeen = (place: Place) => place.z === zoom && meets(boxOf(place), view);
  const stale = takeStale(nameOf(map), isSeen);
  if (stale.length > 0) map.refreshTiles(PROGRAMME, stale);
  return stale.length === 0;
}

/** How many parts of what is in view are missing. */
export function holesIn(map: MapLibre | null): number {
  return map ? holesOf(nameOf(map)) : 0;
}

export function remove(map: MapLibre): void {
  forget(nameOf(map));
  names.delete(map);
  map.remove();
}
