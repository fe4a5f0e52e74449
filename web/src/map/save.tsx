// What the map shows as a file, for other programs and for handhelds.

import { useState } from 'preact/hooks';
import { api, query } from '../api';
import { Act } from '../components/act';
import { Choice } from '../components/field';
import { Show } from '../components/states';
import { download } from '../download';
import { t } from '../i18n';
import { useLoad } from '../load';
import { seesGround } from '../standing/model';
import type { Question } from './sources';

const FORMATS = ['gpkg', 'shp', 'geojson', 'kml', 'gpx', 'csv', 'xlsx'] as const;
/** The ledger's ground: it has a day and a basis. */
const GROUND = ['remaining', 'released', 'contested'];

interface Collection {
  id: string;
  title: string;
}

async function loadCollections(signal: AbortSignal): Promise<Collection[]> {
  const headers = { accept: 'application/json' };
  return (await api.get<{ collections: Collection[] }>('/ogc/collections', { signal, headers })).collections;
}

export default function Save(props: { question: Question; view: number[]; onClose: () => void }) {
  const collections = useLoad('collections', loadCollections, false);
  return <Show of={collections}>{(all) => <Chosen {...props} all={all} />}</Show>;
}

function Chosen(props: { all: Collection[]; question: Question; view: number[]; onClose: () => void }) {
  const { question, view, onClose } = props;
  const all = props.all.filter(({ id }) => seesGround(question.basis) || !GROUND.includes(id));
  const ground = all.find(({ id }) => id === 'remaining');
  const [collection, setCollection] = useState((ground ?? all[0])?.id ?? '');
  const [format, setFormat] = useState<string>(FORMATS[0]);
  const [whole, setWhole] = useState(true);
  const isGround = GROUND.includes(collection);
  const ask = () =>
    download(
      query(`/ogc/collections/${collection}/export`, {
        f: format,
        // Of records it would be what the server knew then: nothing, before they were imported.
        as_of: isGround && question.asOf !== question.today ? question.asOf : null,
        basis: isGround ? question.basis : null,
        bbox: whole ? null : view.join(),
      }),
    );
  return (
    <Act title={t('save.title')} submit={t('save.submit')} reason="none" act={ask} onClose={onClose}>
      <Choice
        label={t('save.what')}
        value={collection}
        options={all.map(({ id, title }) => [id, title])}
        onChange={setCollection}
      />
      <Choice
        label={t('save.format')}
        value={format}
        options={FORMATS.map((name) => [name, t(`save.${name}`)])}
        onChange={setFormat}
      />
      <label class="check">
        <input type="checkbox" checked={!whole} onChange={() => setWhole(!whole)} />
        {t('save.in_view')}
      </label>
      <p class="muted">
        {isGround
          ? t('save.day', { day: question.asOf, basis: t(`basis.${question.basis}`) })
          : t('save.records')}
      </p>
    </Act>
  );
}
