// A field that names another record, or several.

import { useEffect, useId, useState } from 'preact/hooks';
import { api, query } from '../api';
import { t } from '../i18n';
import { useLoad } from '../load';
import { nameOf, type Property, type RecordFeature } from '../record/model';
import { RecordName } from '../record/name';
import { type Control, Labelled } from './labelled';

const OFFERED = 20;

/** What a record is called among others; with its id where two are called the same. */
function called(record: RecordFeature, among: RecordFeature[]): string {
  const name = nameOf(record);
  const alone = among.filter((one) => nameOf(one) === name).length === 1;
  return alone ? name : `${name} · ${record.id.slice(-8)}`;
}

const several = (property: Property) => property.type === 'array';

/** The ids that a field's value holds. */
function idsIn({ property, value }: Control): string[] {
  if (several(property)) return (value as string[] | undefined) ?? [];
  return value ? [value as string] : [];
}

/** Another record, or several, found by a part of their reference or name. */
export function ReferenceControl(control: Control) {
  const { property, onChange } = control;
  const [text, setText] = useState('');
  const [isChosen, setChosen] = useState(false);
  const [names, setNames] = useState<Record<string, string>>({});
  const list = useId();
  const kind = property['x-ref'] as string;
  const named = text.trim();
  const found = useLoad(
    named.length > 1 ? `refer ${kind} ${named}` : null,
    (signal) =>
      api.get<{ features: RecordFeature[] }>(query('/v1/records', { kind, named, limit: OFFERED }), {
        signal,
      }),
    false,
  );
  const chosen = idsIn(control);
  const set = (ids: string[]) =>
    onChange(ids.length === 0 ? undefined : several(property) ? ids : ids.at(-1));
  const offered = found.data?.features ?? [];
  // One name may begin another: it is taken when its typist has come to an end, even before the answer has.
  useEffect(() => {
    const record = isChosen && offered.find((one) => called(one, offered) === named);
    if (!record) return;
    setNames({ ...names, [record.id]: named });
    set([...chosen.filter((id) => id !== record.id), record.id]);
    setText('');
  }, [found.data, named, isChosen]);
  return (
    <>
      <Labelled control={{ ...control, required: false }} unread={named && t('create.no_record')}>
        {(about) => (
          <input
            {...about}
            type="search"
            dir="auto"
            list={list}
            placeholder={t('find.label')}
            value={text}
            onInput={({ currentTarget }) => {
              setText(currentTarget.value);
              setChosen(false);
            }}
            // Left, or picked from the list. Without `Capture` it would be `onInput`, to preact/compat.
            onChangeCapture={() => setChosen(true)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' || !named) return;
              event.preventDefault();
              setChosen(true);
            }}
          />
        )}
      </Labelled>
      <datalist id={list}>
        {offered.map((one) => (
          <option key={one.id} value={called(one, offered)} />
        ))}
      </datalist>
      {chosen.map((id) => (
        <p key={id} class="referred">
          <span dir="auto">{names[id] ?? <RecordName id={id} />}</span>
          <button
            type="button"
            class="quiet icon"
            aria-label={`${t('admin.remove')} ${names[id] ?? ''}`}
            onClick={() => set(chosen.filter((known) => known !== id))}
          >
            ✕
          </button>
        </p>
      ))}
    </>
  );
}
