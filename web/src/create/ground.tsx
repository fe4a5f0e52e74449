import type { Geometry, Position } from 'geojson';
import type { Map as MapLibre } from 'maplibre-gl';
import { useEffect, useState } from 'preact/hooks';
import { Choice, Field } from '../components/field';
import { m2 } from '../format';
import { t } from '../i18n';
import { isWithin, read, write } from '../map/coordinates';
import { takeClicks } from '../map/drawing';
import { drawn, measure, type Place } from '../map/measure';
import { storedFormat } from '../map/readout';
import { cornersOf } from '../map/ring';
import { put } from '../map/view';
import { type Extent, useProgramme } from '../programme';
import { FEWEST, type Shape } from './model';

/** Where a record lies: what was clicked on the map and what was typed, one place a line. */
export interface Ground {
  shape: Shape | null;
  text: string;
  /** The places of the lines; none while a line cannot be read. */
  places: Place[];
  /** The first line that is no place, from 1. */
  unread: number | null;
  /** Places that were clicked, by their lines, which say them only to a metre or so. */
  exact: ReadonlyMap<string, Place>;
  typed: boolean;
}

export const NOWHERE: Ground = {
  shape: null,
  text: '',
  places: [],
  unread: null,
  exact: new Map(),
  typed: false,
};

/** The one shape of a geometry that is no more than that: of several parts, or with holes, lines of places say nothing. */
function only(geometry: Geometry): { shape: Shape; places: Position[] } | null {
  switch (geometry.type) {
    case 'Point':
      return { shape: 'Point', places: [geometry.coordinates] };
    case 'LineString':
      return { shape: 'LineString', places: geometry.coordinates };
    case 'Polygon': {
      const [ring, hole] = geometry.coordinates;
      return ring && !hole ? { shape: 'Polygon', places: cornersOf(ring) } : null;
    }
    case 'MultiPoint':
    case 'MultiLineString':
    case 'MultiPolygon': {
      const [part, other] = geometry.coordinates;
      const type = geometry.type.replace('Multi', '');
      return part && !other ? only({ type, coordinates: part } as Geometry) : null;
    }
    default:
      return null;
  }
}

/** A record's ground, to be changed place by place: what is left as it is stays exactly what it was. */
export function groundOf(geometry: Geometry | null): Ground | null {
  const known = geometry && only(geometry);
  if (!known) return null;
  const places = known.places as Place[];
  const written = places.map((place) => write(place[0], place[1], storedFormat()));
  const exact = new Map(written.map((line, at) => [line, places[at] as Place]));
  // Corners that are written alike could not be told apart.
  if (exact.size < places.length) return null;
  return { ...NOWHERE, shape: known.shape, text: written.join('\n'), places, exact };
}

const lines = (text: string) => text.split('\n').filter((line) => line.trim() !== '');

/** The same ground with other lines. */
function withText(ground: Ground, text: string, extent: Extent | undefined): Ground {
  const places = lines(text).map((line) => ground.exact.get(line) ?? read(line, extent));
  const wrong = places.indexOf(null);
  const unread = wrong < 0 ? null : wrong + 1;
  return { ...ground, text, unread, places: unread === null ? (places as Place[]) : [] };
}

function typed(ground: Ground, text: string, extent: Extent | undefined): Ground {
  return { ...withText(ground, text, extent), typed: true };
}

function clicked(ground: Ground, place: Place, extent: Extent | undefined): Ground {
  const line = write(...place, storedFormat());
  const exact = new Map(ground.exact).set(line, place);
  const before = ground.shape === 'Point' ? [] : lines(ground.text);
  return withText({ ...ground, exact }, [...before, line].join('\n'), extent);
}

function withoutLast(ground: Ground, extent: Extent | undefined): Ground {
  return withText(ground, lines(ground.text).slice(0, -1).join('\n'), extent);
}

/** Whether the places make the shape. */
export function isWhole({ shape, places, unread }: Ground): boolean {
  if (shape === null) return true;
  if (shape === 'Point') return places.length === 1;
  return unread === null && places.length >= FEWEST[shape];
}

interface Props {
  map: MapLibre;
  shapes: Shape[];
  required: boolean;
  ground: Ground;
  onChange: (change: (ground: Ground) => Ground) => void;
}

export function GroundField({ map, shapes, required, ground, onChange }: Props) {
  const { shape, places } = ground;
  const extent = useProgramme()?.programme.extent;
  useEffect(() => {
    if (!shape) return;
    return takeClicks(map, (place) => onChange((was) => clicked(was, place, extent)));
  }, [map, shape, onChange, extent]);
  useEffect(
    () => put(map, 'measured', shape ? drawn(places, shape === 'Polygon') : drawn([])),
    [map, shape, places],
  );
  useEffect(() => () => put(map, 'measured', drawn([])), [map]);
  const options: [string, string][] = shapes.map((known) => [known, t(`create.${known}`)]);
  if (!required) options.unshift(['', t('create.nowhere')]);
  const choose = (next: string) => onChange((was) => ({ ...was, shape: (next || null) as Shape | null }));
  return (
    <fieldset>
      <legend>{t('create.place')}</legend>
      <Choice label={t('create.shape')} value={shape ?? ''} options={options} onChange={choose} />
      {shape && <Places ground={ground} extent={extent} onChange={onChange} />}
    </fieldset>
  );
}

export function Places(props: Pick<Props, 'ground' | 'onChange'> & { extent: Extent | undefined }) {
  const { ground, extent, onChange } = props;
  const [focused, setFocused] = useState(false);
  const { places, text, unread } = ground;
  const outside = places.findIndex((place) => !isWithin(place, extent));
  const area = ground.shape === 'Polygon' ? measure(places).area : null;
  return (
    <>
      <Field label={t('create.places')} hint={t('create.places_hint')}>
        <textarea
          class="code-text"
          dir="ltr"
          rows={4}
          spellcheck={false}
          aria-invalid={unread !== null}
          value={text}
          onFocus={() => setFocused(true)}
          onBlur={() => setFocused(false)}
          onInput={({ currentTarget }) => onChange((was) => typed(was, currentTarget.value, extent))}
        />
      </Field>
      {unread !== null && !focused && (
        <p class="wrong" role="alert">
          {t('create.unread', { line: unread })}
        </p>
      )}
      {outside >= 0 && (
        <p class="note bad" role="status">
          {t('create.outside_line', { line: outside + 1 })}
        </p>
      )}
      {area !== null && <p class="muted">{m2(area)}</p>}
      <div class="actions">
        <button
          type="button"
          disabled={text === ''}
          onClick={() => onChange((was) => withoutLast(was, extent))}
        >
          {t('map.undo')}
        </button>
        <button
          type="button"
          disabled={text === ''}
          onClick={() => onChange((was) => ({ ...NOWHERE, shape: was.shape }))}
        >
          {t('map.clear')}
        </button>
      </div>
    </>
  );
}
