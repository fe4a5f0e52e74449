import { useLayoutEffect, useState } from 'preact/hooks';
import { api, isProblem } from '../api';
import { Choice, Field } from '../components/field';
import { NumberInput } from '../components/number';
import { Fault, Show } from '../components/states';
import { Table } from '../components/table';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { forgetProgramme, type Programme } from '../programme';
import { useUnsaved } from '../unsaved';

interface Milestone {
  /** Nothing, like the area, only while it is typed. */
  year: number | null;
  area_m2: number | null;
  areas: number | null;
}

interface Entry {
  kind: string;
  requested_on: string | null;
  meeting: string | null;
  decided_on: string | null;
  new_deadline: string | null;
}

interface Edited extends Programme {
  date_rule: string;
  /** Nothing only while it is typed. */
  sliver_m2: number | null;
  deposited_on: string | null;
  deadlines: Entry[];
  milestones: Milestone[];
}

const DATE_RULES = ['completion', 'qa_acceptance', 'finalisation'];
const KINDS = ['extension', 'post_completion_discovery'];

interface Saved {
  programme: Edited;
  revision: string;
}

/** The programme's settings, taken back if somebody else has changed them meanwhile. */
export function Settings() {
  const loaded = useLoad(
    'settings',
    async (signal): Promise<Saved> => {
      const answer = await api.raw('/v1/programme', { signal });
      return { programme: (await answer.json()) as Edited, revision: answer.headers.get('etag') ?? '' };
    },
    false,
  );
  // What is being edited stays with what it began with, whatever is read meanwhile.
  const [begun, setBegun] = useState<Saved | null>(null);
  const readAnew = () => {
    setBegun(null);
    loaded.reload();
  };
  return (
    <section>
      <h2>{t('admin.programme')}</h2>
      <Show of={loaded}>
        {(stands) => {
          const shown = begun ?? stands;
          return (
            <Form
              key={shown.revision}
              saved={shown.programme}
              revision={shown.revision}
              onEdit={(isEdited) => setBegun(isEdited ? shown : null)}
              readAnew={readAnew}
            />
          );
        }}
      </Show>
    </section>
  );
}

interface FormProps {
  saved: Edited;
  revision: string;
  onEdit: (isEdited: boolean) => void;
  /** What was typed is sent or given up: they are shown as they stand now. */
  readAnew: () => void;
}

function Form({ saved, revision, onEdit, readAnew }: FormProps) {
  const [programme, setProgramme] = useState(saved);
  const [fault, setFault] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [isSent, setSent] = useState(false);
  const isEdited = programme !== saved;
  const { sent, mayClose } = useUnsaved(isEdited);
  useLayoutEffect(() => onEdit(isEdited), [isEdited]);
  const set = (changes: Partial<Edited>) => setProgramme({ ...programme, ...changes });
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    try {
      await api.put('/v1/programme', programme, { headers: { 'if-match': revision } });
      sent();
      setSent(true);
      forgetProgramme();
      readAnew();
    } catch (thrown) {
      setFault(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="settings" inert={isSent} onSubmit={save}>
      <div class="row">
        <Field label={t('admin.programme_name')}>
          <input
            required
            dir="auto"
            value={programme.name}
            onInput={(event) => set({ name: event.currentTarget.value })}
          />
        </Field>
        <Field label={t('admin.country')} hint="ISO 3166-1 alpha-3">
          <input
            required
            pattern="[A-Z]{3}"
            size={4}
            value={programme.country}
            onInput={(event) => set({ country: event.currentTarget.value })}
          />
        </Field>
        <Field label={t('admin.deposited_on')}>
          <input
            type="date"
            value={programme.deposited_on ?? ''}
            onInput={(event) => set({ deposited_on: event.currentTarget.value || null })}
          />
        </Field>
        <Choice
          label={t('admin.date_rule')}
          value={programme.date_rule}
          options={DATE_RULES.map((rule) => [rule, word('date_rule', rule)])}
          onChange={(date_rule) => set({ date_rule })}
        />
        <Field label={t('admin.sliver')} hint={t('admin.sliver_hint')}>
          <NumberInput
            required
            min={0}
            step="any"
            value={programme.sliver_m2}
            onChange={(area) => set({ sliver_m2: area ?? null })}
          />
        </Field>
      </div>
      <Deadlines entries={programme.deadlines} onChange={(deadlines) => set({ deadlines })} />
      <Milestones plans={programme.milestones} onChange={(milestones) => set({ milestones })} />
      <Units onRead={(admin_units) => set({ admin_units })} />
      {fault !== undefined && <Fault fault={fault} />}
      {isProblem(fault, 412) && (
        <p class="actions">
          <button type="button" onClick={() => mayClose() && readAnew()}>
            {t('admin.read_anew')}
          </button>
        </p>
      )}
      <div class="actions">
        <button type="submit" class="primary" disabled={busy || !isEdited}>
          {t('admin.save')}
        </button>
        {isEdited && (
          <button
            type="button"
            onClick={() => {
              setProgramme(saved);
              setFault(undefined);
              readAnew();
            }}
          >
            {t('admin.discard')}
          </button>
        )}
      </div>
    </form>
  );
}

/** One row of a list less or more. */
function replaced<T>(rows: T[], place: number, row: T | null): T[] {
  return row === null ? rows.toSpliced(place, 1) : rows.with(place, row);
}

function Deadlines({ entries, onChange }: { entries: Entry[]; onChange: (entries: Entry[]) => void }) {
  const day = (place: number, entry: Entry, name: 'requested_on' | 'decided_on' | 'new_deadline') => (
    <td>
      <input
        type="date"
        aria-label={t(`standing.${name}`)}
        value={entry[name] ?? ''}
        onInput={(event) =>
          onChange(replaced(entries, place, { ...entry, [name]: event.currentTarget.value || null }))
        }
      />
    </td>
  );
  return (
    <fieldset>
      <legend>{t('standing.deadlines')}</legend>
      <Table
        heads={[
          t('standing.deadline_kind'),
          t('admin.meeting'),
          t('standing.requested_on'),
          t('standing.decided_on'),
          t('standing.new_deadline'),
        ]}
        actions
      >
        {entries.map((entry, place) => (
          <tr key={place}>
            <td>
              <select
                aria-label={t('standing.deadline_kind')}
                value={entry.kind}
                onChange={(event) =>
                  onChange(replaced(entries, place, { ...entry, kind: event.currentTarget.value }))
                }
              >
                {KINDS.map((kind) => (
                  <option key={kind} value={kind}>
                    {word('deadline', kind)}
                  </option>
                ))}
              </select>
            </td>
            <td>
              <input
                aria-label={t('admin.meeting')}
                dir="auto"
                value={entry.meeting ?? ''}
                onInput={(event) =>
                  onChange(replaced(entries, place, { ...entry, meeting: event.currentTarget.value || null }))
                }
              />
            </td>
            {day(place, entry, 'requested_on')}
            {day(place, entry, 'decided_on')}
            {day(place, entry, 'new_deadline')}
            <td>
              <Remove onClick={() => onChange(replaced(entries, place, null))} />
            </td>
          </tr>
        ))}
      </Table>
      <button
        type="button"
        onClick={() =>
          onChange([
            ...entries,
            { kind: 'extension', requested_on: null, meeting: null, decided_on: null, new_deadline: null },
          ])
        }
      >
        {t('admin.add_deadline')}
      </button>
    </fieldset>
  );
}

function Milestones({ plans, onChange }: { plans: Milestone[]; onChange: (plans: Milestone[]) => void }) {
  const number = (place: number, plan: Milestone, name: 'year' | 'area_m2' | 'areas', label: string) => (
    <td>
      <NumberInput
        required={name !== 'areas'}
        min={0}
        step={1}
        aria-label={label}
        value={plan[name]}
        onChange={(given) => onChange(replaced(plans, place, { ...plan, [name]: given ?? null }))}
      />
    </td>
  );
  return (
    <fieldset>
      <legend>{t('standing.plan')}</legend>
      <Table heads={[t('year'), t('admin.planned_m2'), t('admin.planned_areas')]} actions>
        {plans.map((plan, place) => (
          <tr key={place}>
            {number(place, plan, 'year', t('year'))}
            {number(place, plan, 'area_m2', t('admin.planned_m2'))}
            {number(place, plan, 'areas', t('admin.planned_areas'))}
            <td>
              <Remove onClick={() => onChange(replaced(plans, place, null))} />
            </td>
          </tr>
        ))}
      </Table>
      <button
        type="button"
        onClick={() => {
          const last = plans.at(-1)?.year ?? new Date().getFullYear();
          onChange([...plans, { year: last + 1, area_m2: 0, areas: null }]);
        }}
      >
        {t('admin.add_year')}
      </button>
    </fieldset>
  );
}

function Remove({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" class="quiet icon" aria-label={t('admin.remove')} onClick={onClick}>
      ✕
    </button>
  );
}

/** Administrative units from a file of the programme's own. */
function Units({ onRead }: { onRead: (units: Programme['admin_units']) => void }) {
  const [fault, setFault] = useState<unknown>();
  const read = async (file: File | undefined) => {
    if (!file) return;
    setFault(undefined);
    try {
      onRead(JSON.parse(await file.text()));
    } catch (thrown) {
      setFault(thrown);
    }
  };
  return (
    <Field label={t('admin.units')} hint={t('admin.units_hint')}>
      <input
        type="file"
        accept=".geojson,.json,application/geo+json"
        onChange={(event) => read(event.currentTarget.files?.[0])}
      />
      {fault !== undefined && <Fault fault={fault} />}
    </Field>
  );
}
