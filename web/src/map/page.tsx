// The map: ground by class and result at the end of any day, points, and the records behind them.

import type { Map as MapLibre } from 'maplibre-gl';
import { Suspense } from 'preact/compat';
import { useState } from 'preact/hooks';
import { come, today } from '../clock';
import { Busy, Safety, Show, words } from '../components/states';
import { t } from '../i18n';
import { useLast, useLoad } from '../load';
import { type Known, loadProgramme } from '../programme';
import { RecordPanel } from '../record/panel';
import { amend, place } from '../router';
import { may, seesHazards } from '../session';
import type { Basis } from '../standing/model';
import { Canvas } from './canvas';
import { type Filter, NO_FILTER, narrows } from './filter';
import { Layers } from './layers';
import { Missing } from './missing';
import { Readout } from './readout';
import type { Seen } from './seen';
import { Sheet } from './sheet';
import { Slider } from './slider';
import type { Bounds } from './sources';
import { NewRecord, Tools } from './tools';
import { holesIn } from './view';

export default function MapPage() {
  const programme = useLoad('programme', loadProgramme, false);
  return <Show of={programme}>{(known) => <MapOf known={known} />}</Show>;
}

/** Whoever is not shown the ledger's ground has no choice of basis: they see all records that are theirs to see. */
function basisOf(chosen: string | null): Basis {
  const hasChoice = may('ReadPieces') || !seesHazards();
  return hasChoice && chosen !== 'provisional' ? 'official' : 'provisional';
}

function MapOf({ known }: { known: Known }) {
  const { parameters } = place.value;
  const asOf = come(parameters.get('as_of') ?? today());
  const basis = basisOf(parameters.get('basis'));
  const record = parameters.get('record');
  const kind = parameters.get('new');
  const [map, setMap] = useState<MapLibre | null>(null);
  const [bounds, setBounds] = useState<Bounds | null>(null);
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [printed, setPrinted] = useState(false);
  const question = { asOf, basis, today: today() };
  const [seen, setSeen] = useState<Seen>();
  const [fault, setFault] = useState<unknown>();
  const last = useLast(seen);
  return (
    <div class="map-page">
      <aside class="side layers" aria-label={t('map.layers')}>
        <h1 class="unseen">{t('page.map')}</h1>
        <Layers seen={last} holes={holesIn(map)} filter={filter} onFilter={setFilter} basis={basis} />
      </aside>
      <section class="map-middle" aria-label={t('page.map')}>
        <Canvas
          programme={known.programme}
          question={question}
          filter={filter}
          chosen={record}
          onReady={setMap}
          onMove={setBounds}
          onSeen={(now) => {
            setSeen(now);
            if (now) setFault(undefined);
          }}
          onFault={setFault}
          onChoose={(id) => kind === null && amend({ record: id })}
        />
        <div class="map-notes" aria-live="polite">
          {!seen && fault === undefined && <span class="note loading">{t('loading')}</span>}
          {fault !== undefined && <span class="note bad">{words(fault)}</span>}
          <Missing map={map} />
          {!seesHazards() && <span class="note bad">{t('map.no_hazards')}</span>}
          {last?.overview && (
            <span class={narrows(filter) ? 'note bad' : 'note'}>
              {t(narrows(filter) ? 'map.overview_narrowed' : 'map.overview')}
            </span>
          )}
        </div>
        {map && (
          <Tools
            map={map}
            question={question}
            record={record}
            making={kind !== null}
            onPrint={() => setPrinted(true)}
          />
        )}
        {map && <Readout map={map} />}
        <Slider asOf={asOf} onChange={(day) => amend({ as_of: day })} />
        <Safety />
      </section>
      {kind !== null && map && may('CorrectRecords') && (
        <aside class="side record" aria-label={t('create.title')}>
          <Suspense fallback={<Busy />}>
            <NewRecord map={map} kind={kind} onClose={() => amend({ new: null })} />
          </Suspense>
        </aside>
      )}
      {record && kind === null && (
        <aside class="side record" aria-label={t('record.title')}>
          <RecordPanel id={record} asOf={asOf} basis={basis} onClose={() => amend({ record: null })} />
        </aside>
      )}
      {printed && bounds && (
        <Sheet
          view={bounds}
          programme={known.programme}
          asOf={asOf}
          basis={basis}
          filter={filter}
          onClose={() => setPrinted(false)}
        />
      )}
    </div>
  );
}
