import type { Map as MapLibre, MapMouseEvent } from 'maplibre-gl';
import type { Place } from './measure';

/** Takes the clicks on a map for itself, until what is returned is called: they choose no record and come no nearer. */
export function takeClicks(map: MapLibre, take: (place: Place) => void): () => void {
  const add = ({ lngLat }: MapMouseEvent) => take([lngLat.lng, lngLat.lat]);
  const container = map.getContainer();
  container.classList.add('busy-drawing');
  map.doubleClickZoom.disable();
  map.on('click', add);
  return () => {
    container.classList.remove('busy-drawing');
    map.doubleClickZoom.enable();
    map.off('click', add);
  };
}
