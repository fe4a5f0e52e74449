// A control for each sort of field that a kind's schema knows.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { api, query } from '../api';
import { Field } from '../components/field';
import { t } from '../i18n';
import { useLoad } from '../load';
import { isWithin, read, write } from '../map/coordinates';
import type { Place } from '../map/measure';
import { useProgramme } from '../programme';
import { nameCode, nameField, nameOf, type Property, type RecordFeature, type Value } from '../record/model';
import { newId } from './model';

export interface Control {
  label: string;
  property: Property;
  required: boolean;
  value: Value;
  onChange: (value: Value) => void;
  /** What the server says against it. */
  wrong?: string;
  hint?: string;
}

/** Texts that may be longer get more room. */
const LONG = 1000;

export function ControlOf(props: Control) {
  const { property } = props;
  if (property.$ref === '#/$defs/position') return <PositionControl {...props} />;
  if (property['x-ref']) return <RecordControl {...props} />;
  if (property.enum) return <CodeControl {...props} codes={property.enum} />;
  if (property.type === 'boolean') return <BooleanControl {...props} />;
  if (property.type === 'array' && property.items?.enum) return <CodesControl {...props} />;
  if (property.type === 'array' && property.items?.properties) return <RowsControl {...props} />;
  if (property.type === 'object' && property.properties) return <PartsControl {...props} />;
  return <PlainControl {...props} />;
}

/** A label with its unit, and what is wrong below. */
function Labelled({
  control,
  children,
}: {
  control: Control;
  children: (about: object) => ComponentChildren;
}) {
  const wrong = useId();
  const unit = control.property['x-unit'];
  const label = unit && unit !== '1' ? `${control.label} (${unit})` : control.label;
  const about = control.wrong ? { 'aria-invalid': true, 'aria-describedby': wrong } : {};
  return (
    <div>
      <Field label={control.required ? `${label} *` : label} hint={control.hint}>
        {children({ ...about, required: control.required })}
      </Field>
      <Wrong id={wrong} text={control.wrong} />
    </div>
  );
}

function Wrong({ id, text }: { id?: string; text: string | undefined }) {
  if (!text) return null;
  return (
    <p class="wrong" id={id} lang="en" dir="ltr">
      {text}
    </p>
  );
}

function PlainControl(control: Control) {
  const { property, value, onChange } = control;
  if (property.type === 'number' || property.type === 'integer') {
    return (
      <Labelled control={control}>
        {(about) => (
          <input
            {...about}
            type="number"
            step={property.type === 'integer' ? 1 : 'any'}
            min={property.minimum}
            max={property.maximum}
            value={(value as number | undefined) ?? ''}
            onInput={({ currentTarget: { value: given } }) =>
              onChange(given === '' ? undefined : Number(given))
            }
          />
        )}
      </Labelled>
    );
  }
  const text = {
    dir: 'auto',
    maxLength: property.maxLength,
    value: (value as string | undefined) ?? '',
    onInput: (event: { currentTarget: { value: string } }) =>
      onChange(event.currentTarget.value || undefined),
  } as const;
  const day = property.format === 'date';
  return (
    <Labelled control={control}>
      {(about) =>
        day ? (
          <input {...about} {...text} type="date" />
        ) : (property.maxLength ?? 0) >= LONG ? (
          <textarea {...about} {...text} rows={2} />
        ) : (
          <input {...about} {...text} type="text" />
        )
      }
    </Labelled>
  );
}

function CodeControl(control: Control & { codes: string[] }) {
  const { property, value, onChange, codes } = control;
  const offered = typeof value === 'string' && !codes.includes(value) ? [value, ...codes] : codes;
  return (
    <Labelled control={control}>
      {(about) => (
        <select
          {...about}
          value={(value as string | undefined) ?? ''}
          onChange={({ currentTarget }) => onChange(currentTarget.value || undefined)}
        >
          <option value="">{t('none')}</option>
          {offered.map((code) => (
            <option key={code} value={code}>
              {nameCode(property, code)}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

function BooleanControl(control: Control) {
  const { value, onChange } = control;
  const labels = { true: t('yes'), false: t('no') };
  return (
    <CodeControl
      {...control}
      property={{ ...control.property, 'x-labels': labels }}
      codes={['true', 'false']}
      value={value === undefined ? undefined : String(value)}
      onChange={(code) => onChange(code === undefined ? undefined : code === 'true')}
    />
  );
}

function Group({ control, children }: { control: Control; children: ComponentChildren }) {
  return (
    <fieldset aria-invalid={control.wrong ? true : undefined}>
      <legend>{control.required ? `${control.label} *` : control.label}</legend>
      {children}
      <Wrong text={control.wrong} />
    </fieldset>
  );
}

function CodesControl(control: Control) {
  const { property, value, onChange } = control;
  const chosen = (value as string[] | undefined) ?? [];
  const toggle = (code: string, on: boolean) => {
    const next = on ? [...chosen, code] : chosen.filter((known) => known !== code);
    onChange(next.length > 0 ? next : undefined);
  };
  return (
    <Group control={control}>
      {[...new Set([...(property.items?.enum ?? []), ...chosen])].map((code) => (
        <label key={code} class="check">
          <input
            type="checkbox"
            checked={chosen.includes(code)}
            onChange={({ currentTarget }) => toggle(code, currentTarget.checked)}
          />
          {nameCode(property.items, code)}
        </label>
      ))}
    </Group>
  );
}

/** What is for the server, or for a device. */
const NOT_TYPED = ['id', 'removed', 'traverse', 'sha256'];

/** The parts of an object, each with its own control. */
function Parts({ property, value, onChange }: Pick<Control, 'property' | 'value' | 'onChange'>) {
  const parts = (value ?? {}) as Record<string, Value>;
  const set = (name: string, part: Value) => {
    const { [name]: _, ...rest } = parts;
    const next = part === undefined ? rest : { ...rest, [name]: part };
    onChange(Object.keys(next).length > 0 ? next : undefined);
  };
  const shown = Object.entries(property.properties ?? {}).filter(([name]) => !NOT_TYPED.includes(name));
  return (
    <>
      {shown.map(([name, part]) => (
        <ControlOf
          key={name}
          label={nameField(part, name)}
          property={part}
          required={property.else?.required?.includes(name) ?? false}
          value={parts[name]}
          onChange={(next) => set(name, next)}
        />
      ))}
    </>
  );
}

function PartsControl(control: Control) {
  return (
    <Group control={control}>
      <Parts {...control} />
    </Group>
  );
}

/** Rows that are added one by one; each has an id by which it is known for ever. */
function RowsControl(control: Control) {
  const all = (control.value as { id: string; removed?: boolean }[] | undefined) ?? [];
  // Rows that were struck out stay where they are, unseen.
  const [struck, rows] = [all.filter(({ removed }) => removed), all.filter(({ removed }) => !removed)];
  const set = (shown: { id: string }[]) => {
    const next = [...struck, ...shown];
    control.onChange(next.length > 0 ? next : undefined);
  };
  return (
    <Group control={control}>
      {rows.map((row, place) => (
        <div key={row.id} class="row-of-list">
          <Parts
            property={control.property.items ?? {}}
            value={row}
            onChange={(next) => set(rows.with(place, { ...(next as object), id: row.id }))}
          />
          <button type="button" onClick={() => set(rows.toSpliced(place, 1))}>
            {t('admin.remove')}
          </button>
        </div>
      ))}
      <button type="button" onClick={() => set([...rows, { id: newId() }])}>
        {t('create.add_row')}
      </button>
    </Group>
  );
}

function PositionControl(control: Control) {
  const [text, setText] = useState(() => {
    const known = control.value as [number, number] | undefined;
    return known ? write(...known, 'dd') : '';
  });
  const [lost, setLost] = useState(false);
  const extent = useProgramme()?.programme.extent;
  const far = control.value !== undefined && !isWithin(control.value as Place, extent);
  const leave = () => {
    const place = read(text, extent);
    setLost(text !== '' && !place);
    control.onChange(place ?? undefined);
  };
  return (
    <>
      <Labelled
        control={{
          ...control,
          // A schema names its order of numbers; people write theirs.
          label: control.label.replace(/[,،].*$/, ''),
          hint: t('create.place_hint'),
          wrong: lost ? t('create.no_position') : control.wrong,
        }}
      >
        {(about) => (
          <input
            {...about}
            dir="ltr"
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
            onBlur={leave}
          />
        )}
      </Labelled>
      {far && (
        <p class="note bad" role="status">
          {t('create.outside')}
        </p>
      )}
    </>
  );
}

const OFFERED = 20;

/** What a record is called among others; with its id where two are called the same. */
function called(record: RecordFeature, among: RecordFeature[]): string {
  const name = nameOf(record);
  const alone = among.filter((one) => nameOf(one) === name).length === 1;
  return alone ? name : `${name} · ${record.id.slice(-8)}`;
}

const several = (property: Property) => property.type === 'array';

/** Another record, or several, found by a part of their reference or name. */
function RecordControl(control: Control) {
  const { property, value, onChange } = control;
  const [text, setText] = useState('');
  const [names, setNames] = useState<Record<string, string>>({});
  const list = useId();
  const kind = property['x-ref'] as string;
  const found = useLoad(
    text.trim().length > 1 ? `refer ${kind} ${text}` : null,
    (signal) =>
      api.get<{ features: RecordFeature[] }>(
        query('/v1/records', { kind, named: text.trim(), limit: OFFERED }),
        {
          signal,
        },
      ),
    false,
  );
  const chosen =
    (several(property) ? (value as string[] | undefined) : value ? [value as string] : undefined) ?? [];
  const set = (ids: string[]) =>
    onChange(ids.length === 0 ? undefined : several(property) ? ids : ids.at(-1));
  const offered = found.data?.features ?? [];
  useEffect(() => {
    const record = offered.find((one) => called(one, offered) === text.trim());
    if (!record) return;
    setNames({ ...names, [record.id]: text.trim() });
    set([...chosen.filter((id) => id !== record.id), record.id]);
    setText('');
  }, [found.data, text]);
  return (
    <>
      <Labelled control={{ ...control, required: false }}>
        {(about) => (
          <input
            {...about}
            type="search"
            dir="auto"
            list={list}
            placeholder={t('find.label')}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        )}
      </Labelled>
      <datalist id={list}>
        {offered.map((one) => (
          <option key={one.id} value={called(one, offered)} />
        ))}
      </datalist>
      {chosen.map((id) => (
        <p key={id} class="chosen">
          <span dir="auto">{names[id] ?? id.slice(-8)}</span>
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
