import type { Map as MapLibre } from 'maplibre-gl';
import { lazy, Suspense } from 'preact/compat';
import { useEffect, useState } from 'preact/hooks';
import { Busy } from '../components/states';
import { mayEdit } from '../create/model';
import { count, m2 } from '../format';
import { t } from '../i18n';
import { useLoad } from '../load';
import { loadRecord } from '../record/model';
import { amend } from '../router';
import { may } from '../session';
import { mayLeave } from '../unsaved';
import { takeClicks } from './drawing';
import { Keyboard } from './keyboard';
import { drawn, measure, type Place } from './measure';
import type { Question } from './sources';
import { boundsOf, put } from './view';

/** What makes records has its place beside the map. */
export const NewRecord = lazy(() => import('../create/panel'));

const Save = lazy(() => import('./save'));

const OutlineEditor = lazy(() => import('./outline_editor'));

interface Taken {
  name: 'measure' | 'edit';
  /** What was shown when it was taken up. */
  record: string | null;
}

/** What one does on the map besides looking: measure, redraw an outline, print. */
export function Tools(props: {
  map: MapLibre;
  question: Question;
  record: string | null;
  /** A record is being made: clicks are its corners, and nobody else's. */
  making: boolean;
  onPrint: () => void;
}) {
  const { map, question, record, making, onPrint } = props;
  const [saving, setSaving] = useState(false);
  const [taken, setTaken] = useState<Taken | null>(null);
  // The outline is that of the record it was opened for, and does not come back with it either.
  useEffect(() => setTaken((was) => (was?.name === 'edit' ? null : was)), [record]);
  const isOver = making || (taken?.name === 'edit' && taken.record !== record);
  const tool = isOver || !taken ? null : taken.name;
  const setTool = (name: Taken['name'] | null) => setTaken(name && { name, record });
  const known = useLoad(record && `record ${record}`, (signal) => loadRecord(String(record), signal)).data;
  const use = (next: typeof tool) => {
    // An outline that is drawn goes with its tool.
    if (tool !== 'edit' || mayLeave()) setTool(next);
  };
  const toggle = (name: 'measure' | 'edit') => use(tool === name ? null : name);
  return (
    <div class="map-tools">
      <Keyboard map={map} />
      <button
        type="button"
        aria-pressed={tool === 'measure'}
        disabled={making}
        onClick={() => toggle('measure')}
      >
        {t('map.measure')}
      </button>
      {known && !making && mayEdit(known) && (
        <button type="button" aria-pressed={tool === 'edit'} onClick={() => toggle('edit')}>
          {t('edit.title')}
        </button>
      )}
      {may('CorrectRecords') && (
        <button
          type="button"
          onClick={() => {
            if (amend({ new: 'hazardous_area', record: null })) setTool(null);
          }}
        >
          {t('create.title')}
        </button>
      )}
      <button type="button" onClick={onPrint}>
        {t('print')}
      </button>
      <button type="button" onClick={() => setSaving(true)}>
        {t('save.title')}
      </button>
      {saving && (
        <Suspense fallback={<Busy />}>
          <Save question={question} view={boundsOf(map)} onClose={() => setSaving(false)} />
        </Suspense>
      )}
      {tool === 'measure' && <Measuring map={map} />}
      {tool === 'edit' && record && (
        <Suspense fallback={<Busy />}>
          <OutlineEditor key={record} map={map} id={record} onClose={() => use(null)} />
        </Suspense>
      )}
    </div>
  );
}

function Measuring({ map }: { map: MapLibre }) {
  const [places, setPlaces] = useState<Place[]>([]);
  useEffect(() => {
    const end = takeClicks(map, (place) => setPlaces((known) => [...known, place]));
    return () => {
      end();
      put(map, 'measured', drawn([]));
    };
  }, [map]);
  useEffect(() => put(map, 'measured', drawn(places)), [map, places]);
  const { length, bearing, area } = measure(places);
  return (
    <div class="measuring" role="status">
      {places.length < 2 ? (
        <p>{t('map.measure_hint')}</p>
      ) : (
        <dl>
          <dt>{t('map.length')}</dt>
          <dd>{t('unit.m', { value: count(length) })}</dd>
          <dt>{t('map.bearing')}</dt>
          <dd>{bearing === null ? t('none') : `${bearing.toFixed(1)}°`}</dd>
          <dt>{t('map.area')}</dt>
          <dd>{area === null ? t('none') : m2(area)}</dd>
        </dl>
      )}
      <p class="muted">{t('map.not_for_safety')}</p>
      <div class="actions">
        <button type="button" disabled={places.length === 0} onClick={() => setPlaces(places.slice(0, -1))}>
          {t('map.undo')}
        </button>
        <button type="button" disabled={places.length === 0} onClick={() => setPlaces([])}>
          {t('map.clear')}
        </button>
      </div>
    </div>
  );
}
