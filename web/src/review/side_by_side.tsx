import type { Geometry } from 'geojson';
import { useMemo, useState } from 'preact/hooks';
import { m2, moment, signedM2 } from '../format';
import { t, word } from '../i18n';
import { useOrganisations } from '../organisations';
import { labelOf, type RecordFeature, type Schema, same, type Value, type Version } from '../record/model';
import { movedWords, outlineWords } from '../record/outline';
import { FieldValue } from '../record/value';

interface Props {
  schema: Schema | undefined;
  versions: Version[];
  record: RecordFeature;
  from: string;
  onFrom: (version: string) => void;
  old: Record<string, Value>;
  now: Record<string, Value>;
  areas: [number | null, number | null];
}

/** Two versions beside each other; what differs stands out, what does not is there when it is asked for. */
export function SideBySide(props: Props) {
  const { schema, old, now, from } = props;
  const [whole, setWhole] = useState(from === '');
  const organisations = useOrganisations();
  const order = Object.keys(schema?.properties ?? {});
  const fields = [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .filter((field) => field !== 'geometry')
    .sort((one, other) => order.indexOf(one) - order.indexOf(other));
  const shown = fields.filter((field) => whole || !same(old[field], now[field]));
  return (
    <section>
      <div class="detail-head">
        <h3>{t('review.versions')}</h3>
        <label class="check">
          <input type="checkbox" checked={whole} onChange={() => setWhole(!whole)} />
          {t('review.whole')}
        </label>
      </div>
      <div class="scroll">
        <table class="sides">
          <thead>
            <tr>
              <th scope="col">{t('field')}</th>
              <th scope="col">
                <Which {...props} />
              </th>
              <th scope="col">{t('review.now')}</th>
            </tr>
          </thead>
          <tbody>
            <Areas areas={props.areas} />
            <Outlines {...props} whole={whole} />
            {shown.map((field) => (
              <tr key={field} class={from === '' || same(old[field], now[field]) ? undefined : 'differs'}>
                <th scope="row" dir="auto">
                  {labelOf(schema, field)}
                </th>
                {[old, now].map((state, side) => (
                  <td key={side} dir="auto">
                    <FieldValue
                      schema={schema}
                      field={field}
                      value={state[field]}
                      organisations={organisations}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Which({ versions, record, from, onFrom }: Props) {
  const past = versions.filter((version) => version.version !== record.version && !version.branch);
  return (
    <select
      aria-label={t('review.compare_with')}
      value={from}
      onChange={(event) => onFrom(event.currentTarget.value)}
    >
      <option value="">{t('review.nothing_before')}</option>
      {past.toReversed().map((version) => (
        <option key={version.version} value={version.version}>
          {version.version === record.official ? t('basis.official') : word('op', version.op)} –{' '}
          {word('stage', version.stage)}, {moment(version.recorded_at)}
        </option>
      ))}
    </select>
  );
}

/** Where the record lies: the map beside shows it to those who see it. */
function Outlines({ from, old, now, areas, whole }: Props & { whole: boolean }) {
  const [before, after] = [old.geometry ?? null, now.geometry ?? null] as [Geometry | null, Geometry | null];
  const moved = useMemo(() => movedWords(before, after), [before, after]);
  const differs = !same(before, after);
  if (!differs && !(whole && after)) return null;
  return (
    <tr class={from !== '' && differs ? 'differs' : undefined}>
      <th scope="row">{t('record.outline')}</th>
      <td dir="auto">{outlineWords(before, areas[0])}</td>
      <td dir="auto">
        {outlineWords(after, areas[1])}
        {moved && <small> ({moved})</small>}
      </td>
    </tr>
  );
}

function Areas({ areas: [old, now] }: { areas: [number | null, number | null] }) {
  // A point has none.
  if (!old && !now) return null;
  const differs = old !== null && now !== null && Math.abs(now - old) >= 0.5;
  return (
    <tr class={differs ? 'differs' : undefined}>
      <th scope="row">{t('review.area')}</th>
      <td>{old === null ? t('none') : m2(old)}</td>
      <td>
        {now === null ? t('none') : m2(now)}
        {differs && <small> ({signedM2(now - old)})</small>}
      </td>
    </tr>
  );
}
