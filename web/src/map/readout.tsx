import { signal } from '@preact/signals';
import type { Map as MapLibre, MapMouseEvent } from 'maplibre-gl';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';
import { FORMATS, type Format, write } from './coordinates';

const STORED = 'cartagena.coordinates';

const known = localStorage.getItem(STORED);
const chosen = signal<Format>(FORMATS.find((format) => format === known) ?? 'dd');

/** The form that the reader works with, on every page and the next day. */
export function storedFormat(): Format {
  return chosen.value;
}

/** The place under the pointer – or in the middle, where there is none –, in the form that the reader works with. */
export function Readout({ map }: { map: MapLibre }) {
  const format = storedFormat();
  const [place, setPlace] = useState(map.getCenter());
  useEffect(() => {
    const follow = (event: MapMouseEvent) => setPlace(event.lngLat);
    const middle = () => setPlace(map.getCenter());
    map.on('mousemove', follow);
    map.on('mouseout', middle);
    map.on('moveend', middle);
    return () => {
      map.off('mousemove', follow);
      map.off('mouseout', middle);
      map.off('moveend', middle);
    };
  }, [map]);
  const choose = (next: string) => {
    localStorage.setItem(STORED, next);
    chosen.value = next as Format;
  };
  return (
    <div class="readout" dir="ltr">
      <select
        aria-label={t('map.coordinates')}
        value={format}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        {FORMATS.map((known) => (
          <option key={known} value={known}>
            {known.toUpperCase()}
          </option>
        ))}
      </select>
      <output>{write(place.lng, place.lat, format)}</output>
    </div>
  );
}
