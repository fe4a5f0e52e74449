import { useEffect, useState } from 'preact/hooks';
import { api, query } from '../api';
import { Empty, Show } from '../components/states';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { nameOf, type RecordFeature } from '../record/model';
import { amend } from '../router';

/** Rows that are offered; who finds too many types more. */
const OFFERED = 12;
const REST_MS = 250;

/** Finds records by a part of their reference or name, or by their whole id. */
export function Find() {
  const [text, setText] = useState('');
  const [asked, setAsked] = useState('');
  const [entered, setEntered] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), REST_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const over = () => {
    setText('');
    setAsked('');
    setEntered(false);
  };
  return (
    <search class="find">
      <input
        type="search"
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          // It is of what stands there now, and may come before the answer.
          setAsked(text.trim());
          setEntered(true);
        }}
        aria-label={t('find.label')}
        placeholder={t('find.short')}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setEntered(false);
        }}
      />
      {asked.length > 1 && <Found text={asked} takesFirst={entered} onChoose={over} />}
    </search>
  );
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

async function find(text: string, signal: AbortSignal): Promise<RecordFeature[]> {
  if (UUID.test(text)) return [await api.get<RecordFeature>(`/v1/records/${text}`, { signal })];
  const path = query('/v1/records', { named: text, limit: OFFERED });
  return (await api.get<{ features: RecordFeature[] }>(path, { signal })).features;
}

/** What a record is called, and the name that people know it by. */
function titleOf(record: RecordFeature): string {
  const { name } = record.properties;
  const called = nameOf(record);
  return typeof name === 'string' && name !== called ? `${called} – ${name}` : called;
}

interface FoundProps {
  text: string;
  /** The first that is found is meant. */
  takesFirst: boolean;
  onChoose: () => void;
}

function Found({ text, takesFirst, onChoose }: FoundProps) {
  const found = useLoad(`find ${text}`, (signal) => find(text, signal), false);
  const choose = ({ id }: RecordFeature) => {
    if (amend({ record: id, new: null })) onChoose();
  };
  const first = takesFirst ? found.data?.[0] : undefined;
  useEffect(() => {
    if (first) choose(first);
  }, [first]);
  return (
    <Show of={found}>
      {(records) =>
        records.length === 0 ? (
          <Empty>{t('find.nothing')}</Empty>
        ) : (
          <ul>
            {records.map((record) => (
              <li key={record.id}>
                <button type="button" class="quiet" onClick={() => choose(record)}>
                  <span dir="auto">{titleOf(record)}</span>
                  <small class="muted">{word('kind', record.kind)}</small>
                </button>
              </li>
            ))}
          </ul>
        )
      }
    </Show>
  );
}
