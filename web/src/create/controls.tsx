// A control for each sort of field that a kind's schema knows.

import { NumberInput } from '../components/number';
import { t } from '../i18n';
import { useOrganisations } from '../organisations';
import { nameCode, nameField, type Value } from '../record/model';
import { type Control, Group, Labelled } from './labelled';
import { newId } from './model';
import { PositionControl } from './position';
import { ReferenceControl } from './reference';

/** Texts that may be longer get more room. */
const LONG = 1000;

export function ControlOf(props: Control) {
  const { property } = props;
  if (property.$ref === '#/$defs/position') return <PositionControl {...props} />;
  if (property['x-ref']) return <ReferenceControl {...props} />;
  if (property['x-organisation']) return <OrganisationControl {...props} />;
  if (property.enum) return <CodeControl {...props} codes={property.enum} />;
  if (property.type === 'boolean') return <BooleanControl {...props} />;
  if (property.type === 'array' && property.items?.enum) return <CodesControl {...props} />;
  if (property.type === 'array' && property.items?.properties) return <RowsControl {...props} />;
  if (property.type === 'object' && property.properties) return <PartsControl {...props} />;
  return <PlainControl {...props} />;
}

function PlainControl(control: Control) {
  const { property, value, onChange } = control;
  if (property.type === 'number' || property.type === 'integer') {
    return (
      <Labelled control={control}>
        {(about) => (
          <NumberInput
            {...about}
            step={property.type === 'integer' ? 1 : 'any'}
            min={property.minimum}
            max={property.maximum}
            value={value as number | undefined}
            onChange={onChange}
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

function OrganisationControl(control: Control) {
  const names = useOrganisations();
  const property = { ...control.property, 'x-labels': Object.fromEntries(names) };
  return <CodeControl {...control} property={property} codes={[...names.keys()]} />;
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
