import { lazy, Suspense } from 'preact/compat';
import { useMemo, useState } from 'preact/hooks';
import { Field } from '../components/field';
import { useFocusKept } from '../components/focus';
import { Busy, Fault, Show } from '../components/states';
import { moment } from '../format';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { type Part, part } from '../map/difference';
import { type Names, useOrganisations } from '../organisations';
import { loadRecord, nameOf, type Schema, useSchema } from '../record/model';
import { movedWords, outlineWords } from '../record/outline';
import { FieldValue } from '../record/value';
import { href } from '../router';
import { may, session } from '../session';
import { useUnsaved } from '../unsaved';
import {
  type Conflict,
  causesOf,
  type Group,
  groupsOf,
  hasMoved,
  loadConflict,
  SIDES,
  type Side,
  type SideName,
  settle,
  valueOn,
} from './model';
import { disputedName } from './names';

const Compared = lazy(() => import('../map/compared'));

interface Props {
  id: string;
  /** It is in the list beside. */
  isListed: boolean;
  onSettled: () => void;
}

/** One conflict, as long as it is open here, whatever becomes of the list. */
export function Settle({ id, isListed, onSettled }: Props) {
  const conflict = useLoad(`conflict ${id}`, (signal) => loadConflict(id, signal));
  useFocusKept();
  return (
    <section class="detail" aria-label={t('conflict.title')}>
      {!isListed && (
        <p class="note" role="status">
          {t(conflict.data?.settled ? 'conflict.is_settled' : 'list.absent')}
        </p>
      )}
      <Show of={conflict}>{(listed) => <Sides listed={listed} onSettled={onSettled} />}</Show>
    </section>
  );
}

/** Its sides on one map and in one table. Nothing is chosen before somebody chooses it. */
function Sides({ listed, onSettled }: { listed: Conflict; onSettled: () => void }) {
  // Choices are of what stood there when they were begun.
  const [begun, setBegun] = useState<Conflict | null>(null);
  const conflict = begun ?? listed;
  const schema = useSchema(conflict.kind);
  const record = useLoad(`record ${conflict.record_id}`, (signal) => loadRecord(conflict.record_id, signal));
  const [chosen, setChosen] = useState<Record<string, SideName>>({});
  const parts = useMemo(
    () =>
      SIDES.flatMap((name) => {
        const geometry = conflict[name]?.geometry;
        return geometry ? [part(name, geometry)] : [];
      }),
    [conflict],
  );
  const groups = groupsOf(conflict);
  const organisations = useOrganisations();
  const [reason, setReason] = useState('');
  const { sent } = useUnsaved(Object.keys(chosen).length > 0 || reason.trim() !== '');
  return (
    <>
      <header class="detail-head">
        <div>
          <p class="muted">{word('kind', conflict.kind)}</p>
          <h2 dir="auto">{record.data ? nameOf(record.data) : conflict.record_id.slice(-8)}</h2>
        </div>
        <p class="badges">
          {conflict.safety && <span class="badge bad">{t('conflict.safety')}</span>}
          <a href={href('map', { record: conflict.record_id })}>{t('review.on_map')}</a>
        </p>
      </header>
      {causesOf(conflict).map((cause) => (
        <p key={cause} class="note">
          {t(`conflict.cause_${cause}`)}
        </p>
      ))}
      {parts.length > 0 && (
        <Suspense fallback={<Busy />}>
          <Compared parts={parts} names={[...SIDES] as Part[]} />
        </Suspense>
      )}
      <div class="scroll">
        <table class="sides choice">
          <thead>
            <tr>
              <th scope="col">{t('field')}</th>
              {SIDES.map((name) => (
                <th key={name} scope="col">
                  {t(`conflict.${name}`)}
                  <Said side={conflict[name]} />
                </th>
              ))}
            </tr>
          </thead>
          {groups.map((group) => (
            <Rows
              key={group.name}
              conflict={conflict}
              group={group}
              schema={schema}
              organisations={organisations}
              chosen={chosen[group.name]}
              onChoose={(side) => {
                setBegun(conflict);
                setChosen({ ...chosen, [group.name]: side });
              }}
            />
          ))}
        </table>
      </div>
      {begun && !listed.settled && hasMoved(begun, listed) && (
        <p class="note bad" role="alert">
          {t('conflict.moved')}{' '}
          <button
            type="button"
            onClick={() => {
              setBegun(null);
              setChosen({});
            }}
          >
            {t('conflict.look_again')}
          </button>
        </p>
      )}
      {listed.settled ? null : may('ResolveConflicts') ? (
        <Decide
          onSettled={() => {
            sent();
            onSettled();
          }}
          conflict={conflict}
          schema={schema}
          chosen={chosen}
          reason={reason}
          onReason={setReason}
          open={groups.filter((group) => !chosen[group.name]).length}
        />
      ) : (
        <p class="muted">{t('conflict.not_yours')}</p>
      )}
    </>
  );
}

function Said({ side }: { side: Side | null }) {
  if (!side) return <small class="muted">{t('none')}</small>;
  return (
    <small class="muted">
      {moment(side.recorded_at)}
      {side.author === session.value?.account && ` · ${t('record.by_you')}`}
      {side.retired && ` · ${t('retired')}`}
    </small>
  );
}

/** A side's outline, and how far it is from what both sides began from. */
function sideWords(side: Side | null, base: Side | null): string {
  const words = outlineWords(side?.geometry ?? null, side?.area_m2 ?? null);
  const moved = movedWords(base?.geometry ?? null, side?.geometry ?? null);
  return moved ? `${words} (${moved})` : words;
}

function Rows(props: {
  conflict: Conflict;
  group: Group;
  schema: Schema | undefined;
  organisations: Names;
  chosen: SideName | undefined;
  onChoose: (side: SideName) => void;
}) {
  const { conflict, group, schema, organisations, chosen } = props;
  const name = disputedName(schema, group.name);
  return (
    <tbody>
      {group.fields.map((field) => (
        <tr key={field}>
          <th scope="row" dir="auto">
            {disputedName(schema, field)}
          </th>
          {SIDES.map((side) => (
            <td key={side} class={chosen === side ? 'chosen' : undefined} dir="auto">
              {field === 'geometry' ? (
                sideWords(conflict[side], conflict.base)
              ) : (
                <FieldValue
                  schema={schema}
                  field={field}
                  value={valueOn(conflict[side], field)}
                  organisations={organisations}
                />
              )}
            </td>
          ))}
        </tr>
      ))}
      {may('ResolveConflicts') && (
        <tr class="choose">
          <th scope="row">{t('conflict.choose', { name })}</th>
          {SIDES.map((side) => (
            <td key={side} class={chosen === side ? 'chosen' : undefined}>
              <label class="check">
                <input
                  type="radio"
                  name={`${conflict.id} ${group.name}`}
                  aria-label={t('conflict.choose_side', { name, side: t(`conflict.${side}`) })}
                  disabled={!conflict[side]}
                  checked={chosen === side}
                  onChange={() => props.onChoose(side)}
                />
                {t(`conflict.${side}`)}
              </label>
            </td>
          ))}
        </tr>
      )}
    </tbody>
  );
}

function Decide({
  conflict,
  schema,
  chosen,
  reason,
  onReason,
  open,
  onSettled,
}: {
  conflict: Conflict;
  schema: Schema | undefined;
  chosen: Record<string, SideName>;
  reason: string;
  onReason: (reason: string) => void;
  open: number;
  onSettled: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const run = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    await settle(conflict, chosen, schema, reason.trim()).then(onSettled, setFault);
    setBusy(false);
  };
  return (
    <form class="decide" onSubmit={run}>
      <Field label={t('act.reason')}>
        <textarea
          name="reason"
          dir="auto"
          required
          value={reason}
          onInput={(event) => onReason(event.currentTarget.value)}
        />
      </Field>
      {fault !== undefined && <Fault fault={fault} />}
      <div class="actions">
        <button type="submit" class="primary" disabled={busy || !schema || open > 0 || !reason.trim()}>
          {t('conflict.settle')}
        </button>
        {open > 0 && <span class="muted">{t('conflict.open', { count: open })}</span>}
      </div>
    </form>
  );
}
