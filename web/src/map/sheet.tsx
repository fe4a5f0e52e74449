// The map on paper: A4 or A3, with everything that a reader far from this screen must know of it.

import type { Map as MapLibre } from 'maplibre-gl';
import { useEffect, useRef, useState } from 'preact/hooks';
import { today } from '../clock';
import { useModal } from '../components/dialog';
import { Choice, Field } from '../components/field';
import { words } from '../components/states';
import { Swatch } from '../components/swatch';
import { moment } from '../format';
import { t } from '../i18n';
import { head } from '../live';
import { useLast } from '../load';
import { useOrganisations } from '../organisations';
import type { Programme } from '../programme';
import { seesHazards } from '../session';
import { type Basis, seesGround } from '../standing/model';
import { OUTLINES, RESULTS, type SymbolName } from '../symbology';
import { Canvas } from './canvas';
import { write } from './coordinates';
import { type Filter, narrows } from './filter';
import type { SignName } from './images';
import { OutlinePicture, SignPicture } from './layers';
import { measure } from './measure';
import { nameOfSymbol, saidOf } from './named';
import type { Seen } from './seen';
import type { Bounds } from './sources';
import { holesIn } from './view';

const PAPERS = ['a4-landscape', 'a4-portrait', 'a3-landscape', 'a3-portrait'] as const;

interface Props {
  /** What the map on the screen shows. */
  view: Bounds;
  programme: Programme;
  asOf: string;
  basis: Basis;
  filter: Filter;
  onClose: () => void;
}

export function Sheet(props: Props) {
  const [paper, setPaper] = useState<string>(PAPERS[0]);
  const [title, setTitle] = useState('');
  const [whole, setWhole] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  useModal(dialog, props.onClose);
  useEffect(() => {
    // A page's size is that of what flows on it, and a dialog does not flow: the document says it.
    const names = ['with-sheet', paper];
    document.body.classList.add(...names);
    return () => document.body.classList.remove(...names);
  }, [paper]);
  return (
    <dialog ref={dialog} class="sheet-view" aria-label={t('sheet.on_paper')}>
      <div class="sheet-tools">
        <Field label={t('sheet.heading')}>
          <input value={title} onInput={(event) => setTitle(event.currentTarget.value)} />
        </Field>
        <Choice
          label={t('sheet.paper')}
          value={paper}
          options={PAPERS.map((known) => [known, t(`sheet.${known}`)])}
          onChange={setPaper}
        />
        <button type="button" class="primary" disabled={!whole} onClick={() => print()}>
          {t('print')}
        </button>
        <button type="button" onClick={props.onClose}>
          {t('close')}
        </button>
      </div>
      <Paper {...props} paper={paper} title={title || t('sheet.title')} onWhole={setWhole} />
    </dialog>
  );
}

interface PaperProps extends Props {
  paper: string;
  title: string;
  /** Whether everything is drawn: what is not yet there must not be printed as ground without hazards. */
  onWhole: (whole: boolean) => void;
}

function Paper(props: PaperProps) {
  const { programme, asOf, basis, filter, view, onWhole } = props;
  const [bounds, setBounds] = useState<Bounds | null>(null);
  const [seen, setSeen] = useState<Seen>();
  const [fault, setFault] = useState<unknown>();
  const last = useLast(seen);
  const [map, setMap] = useState<MapLibre | null>(null);
  const holes = holesIn(map);
  const whole = seen !== undefined && fault === undefined && holes === 0;
  useEffect(() => onWhole(whole), [whole, onWhole]);
  useEffect(() => {
    if (!map) return;
    setSeen(undefined);
    return keepIn(map, view);
  }, [map, props.paper, view]);
  return (
    <section
      class={whole ? `sheet ${props.paper}` : `sheet ${props.paper} unready`}
      aria-label={t('sheet.title')}
      aria-busy={!seen}
    >
      <header>
        <h2>{props.title}</h2>
        <p>
          {programme.name} · {t('as_of')} <strong>{asOf}</strong> · {t('basis')}{' '}
          <strong>{t(`basis.${basis}`)}</strong>
        </p>
      </header>
      {!whole && <p class="note bad for-paper">{t('sheet.unready')}</p>}
      {(fault !== undefined || holes > 0) && (
        <p class="note bad" role="alert">
          <strong>{t('sheet.incomplete')}</strong>{' '}
          {holes > 0 ? t('map.missing', { count: holes }) : words(fault)}
        </p>
      )}
      <div class="sheet-map">
        <Canvas
          paper
          programme={programme}
          question={{ asOf, basis, today: today() }}
          filter={filter}
          onReady={setMap}
          onMove={setBounds}
          onSeen={(now) => {
            setSeen(now);
            if (now) setFault(undefined);
          }}
          onFault={setFault}
        />
        <North />
        {bounds && <Scale across={across(bounds)} />}
      </div>
      <footer>
        {last && <Legend seen={last} filter={filter} outlined={asOf >= today()} />}
        <Facts seen={last} basis={basis} filter={filter} bounds={bounds} />
      </footer>
    </section>
  );
}

/** Keeps the ground in view when paper, legend or facts leave it other room, until the reader moves the map. */
function keepIn(map: MapLibre, view: Bounds): () => void {
  const fit = () => map.fitBounds(view, { animate: false });
  const leave = ({ originalEvent }: { originalEvent?: unknown }) => {
    if (originalEvent) map.off('resize', fit);
  };
  map.on('resize', fit);
  map.on('movestart', leave);
  map.resize();
  return () => {
    map.off('resize', fit);
    map.off('movestart', leave);
  };
}

/** What must be known of a map that nobody can ask any more. */
function Facts(props: { seen: Seen | undefined; basis: Basis; filter: Filter; bounds: Bounds | null }) {
  const { seen, basis, filter, bounds } = props;
  const said = saidOf(filter, useOrganisations());
  return (
    <div class="sheet-facts">
      {!seesHazards() && <p class="note bad">{t('map.no_hazards')}</p>}
      {!seesGround(basis) && <p>{t('sheet.as_recorded')}</p>}
      {seen?.overview && (
        <p class="note bad">{t(narrows(filter) ? 'map.overview_narrowed' : 'map.overview')}</p>
      )}
      {said.length > 0 && (
        <p class="note bad">
          <strong>{t('sheet.partly')}</strong> {said.join(' · ')}
        </p>
      )}
      {bounds && (
        <p>
          {t('sheet.corners')} <span dir="ltr">{write(bounds[0], bounds[1], 'dms')}</span> –{' '}
          <span dir="ltr">{write(bounds[2], bounds[3], 'dms')}</span>
        </p>
      )}
      <p>
        {t('sheet.crs', {
          seq: head.value > 0 ? String(head.value) : t('none'),
          moment: moment(new Date().toISOString()),
        })}
      </p>
      <p class="safety">{t('safety')}</p>
    </div>
  );
}

/** Metres on the ground from side to side, in the middle. */
function across([west, south, east, north]: Bounds): number {
  const middle = (south + north) / 2;
  return measure([
    [west, middle],
    [east, middle],
  ]).length;
}

const HAZARDOUS: SymbolName[] = ['cha', 'sha', 'contested'];

/** The symbols that are on the map; of points those that are in view. */
function Legend({ seen, filter, outlined }: { seen: Seen; filter: Filter; outlined: boolean }) {
  const drawn = (name: string) => !filter.hidden.has(name);
  const symbols: SymbolName[] = [...(seesHazards() ? HAZARDOUS : []), ...RESULTS];
  return (
    <ul class="sheet-legend">
      {symbols.filter(drawn).map((name) => (
        <li key={name}>
          <Swatch name={name} /> {nameOfSymbol(name)}
        </li>
      ))}
      {outlined &&
        seen.areas.size > 0 &&
        (Object.keys(OUTLINES) as (keyof typeof OUTLINES)[]).map((name) => (
          <li key={name}>
            <OutlinePicture name={name} /> {t(`map.outline_${name}`)}
          </li>
        ))}
      {(['hazardous_area', 'eo_item', 'accident', 'task'] as SignName[])
        .filter((name) => drawn(name) && seen.counts.has(name) && seen.counts.get(name) !== 0)
        .map((name) => (
          <li key={name}>
            <SignPicture name={name} /> {nameOfSymbol(name)}
          </li>
        ))}
    </ul>
  );
}

/** A round length that takes a good part of a fifth of the map. */
function round(metres: number): number {
  const power = 10 ** Math.floor(Math.log10(metres));
  return ([5, 2, 1].find((step) => step * power <= metres) ?? 1) * power;
}

function Scale({ across }: { across: number }) {
  const metres = round(across / 4);
  const words = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`;
  const width = (metres / across) * 100;
  return (
    <svg
      class="sheet-scale"
      viewBox="-1.5 0 100 5"
      role="img"
      aria-label={t('sheet.scale', { length: words })}
      dir="ltr"
    >
      <rect x="0.2" y="0.4" width={width / 2} height="1" />
      <rect class="empty" x={0.2 + width / 2} y="0.4" width={width / 2} height="1" />
      <text x="0" y="4.2">
        0
      </text>
      <text x={width} y="4.2" text-anchor="middle">
        {words}
      </text>
    </svg>
  );
}

function North() {
  return (
    <svg class="north" viewBox="0 0 24 40" role="img" aria-label={t('sheet.north')}>
      <path d="M12 1 21 27 12 21 3 27Z" />
      <text x="12" y="39" text-anchor="middle">
        N
      </text>
    </svg>
  );
}
