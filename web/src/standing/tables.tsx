// The tables that an authority fills in each year (docs/domain.md §7).

import { count, day, dayOfYear, m2, plainKm2, ratio } from '../format';
import { t, whole, word } from '../i18n';
import { type Progress, released, runningYear, type Year } from './model';

const FLOWS = [
  'opening_m2',
  'found_m2',
  'corrected_m2',
  'reclassified_m2',
  'cancelled_m2',
  'reduced_m2',
  'cleared_m2',
  'bac_cleared_m2',
  'remaining_m2',
] as const satisfies (keyof Year)[];

/** What leaves the account is shown with its sign. */
const LESS = new Set<keyof Year>([
  'corrected_m2',
  'cancelled_m2',
  'reduced_m2',
  'cleared_m2',
  'bac_cleared_m2',
]);

function flow(year: Year, name: keyof Year): string {
  const value = year[name];
  const less = LESS.has(name) ? value > 0 : value < 0;
  return whole(`${less ? '−' : ''}${plainKm2(Math.abs(value))}`);
}

/** A year, and up to which day it is known where it is not over. */
function YearName({ year, progress }: { year: number; progress: Progress }) {
  if (year !== runningYear(progress)) return <>{year}</>;
  return <>{t('standing.running', { year: String(year), day: dayOfYear(progress.as_of) })}</>;
}

/** Opening + found − corrected ± reclassified − released = remaining, year by year. */
export function Balance({ progress, open }: { progress: Progress; open?: (year: number) => void }) {
  const unexplained = progress.years.reduce((sum, year) => sum + Math.abs(year.residual_m2), 0);
  return (
    <section>
      <h2>{t('standing.balance')}</h2>
      <div class="scroll">
        <table class="figures">
          <caption>{t('standing.balance_caption')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('year')}</th>
              {FLOWS.map((name) => (
                <th key={name} scope="col">
                  {t(`flow.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {progress.years.map((year) => (
              <tr key={year.year}>
                <th scope="row">
                  {open ? (
                    <button type="button" class="link" onClick={() => open(year.year)}>
                      <YearName year={year.year} progress={progress} />
                    </button>
                  ) : (
                    <YearName year={year.year} progress={progress} />
                  )}
                </th>
                {FLOWS.map((name) => (
                  <td key={name} class={name === 'remaining_m2' ? 'sum' : undefined}>
                    {flow(year, name)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted">{t('standing.residual', { area: m2(unexplained) })}</p>
    </section>
  );
}

/** What remains by province, confirmed and suspected. */
export function Provinces({ progress, units }: { progress: Progress; units?: Map<string, string> }) {
  const codes = [...new Set(progress.remaining.map((row) => row.admin1))];
  const of = (code: string | null, classification: string) =>
    progress.remaining.find((row) => row.admin1 === code && row.classification === classification);
  const sum = (classification: string) => {
    const rows = progress.remaining.filter((row) => row.classification === classification);
    return {
      areas: rows.reduce((total, row) => total + row.areas, 0),
      area_m2: rows.reduce((total, row) => total + row.area_m2, 0),
    };
  };
  const cells = (cha?: { areas: number; area_m2: number }, sha?: { areas: number; area_m2: number }) => (
    <>
      <td>{count(cha?.areas ?? 0)}</td>
      <td>{plainKm2(cha?.area_m2 ?? 0)}</td>
      <td>{count(sha?.areas ?? 0)}</td>
      <td>{plainKm2(sha?.area_m2 ?? 0)}</td>
      <td class="sum">{plainKm2((cha?.area_m2 ?? 0) + (sha?.area_m2 ?? 0))}</td>
    </>
  );
  return (
    <section>
      <h2>{t('standing.by_province')}</h2>
      <div class="scroll">
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">{t('province')}</th>
              <th scope="col">{t('standing.cha_areas')}</th>
              <th scope="col">{t('standing.cha_km2')}</th>
              <th scope="col">{t('standing.sha_areas')}</th>
              <th scope="col">{t('standing.sha_km2')}</th>
              <th scope="col">{t('standing.total_km2')}</th>
            </tr>
          </thead>
          <tbody>
            {codes.map((code) => (
              <tr key={code}>
                <th scope="row" dir="auto">
                  {(code && units?.get(code)) ?? code ?? t('standing.no_province')}
                </th>
                {cells(of(code, 'cha'), of(code, 'sha'))}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t('total')}</th>
              {cells(sum('cha'), sum('sha'))}
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}

export function PlanAgainstActual({ progress }: { progress: Progress }) {
  if (progress.milestones.length === 0) return <section class="empty">{t('standing.no_plan')}</section>;
  const begun = Number(progress.as_of.slice(0, 4));
  const running = runningYear(progress);
  return (
    <section>
      <h2>{t('standing.plan')}</h2>
      <div class="scroll">
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">{t('year')}</th>
              <th scope="col">{t('standing.planned_km2')}</th>
              <th scope="col">{t('standing.actual_km2')}</th>
              <th scope="col">{t('standing.actual_to_planned')}</th>
            </tr>
          </thead>
          <tbody>
            {progress.milestones.map((plan) => (
              <tr key={plan.year}>
                <th scope="row">
                  <YearName year={plan.year} progress={progress} />
                </th>
                <td>{plainKm2(plan.planned_m2)}</td>
                <td>{plan.year > begun ? t('none') : plainKm2(plan.actual_m2)}</td>
                <td>
                  {plan.year > begun || plan.year === running || plan.planned_m2 === 0
                    ? t('none')
                    : ratio(plan.actual_m2 / plan.planned_m2)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Found is not destroyed: other dates, other years. */
export function Ordnance({ progress }: { progress: Progress }) {
  return (
    <section>
      <h2>{t('standing.ordnance')}</h2>
      <div class="scroll">
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">{t('year')}</th>
              <th scope="col">{t('standing.ap_found')}</th>
              <th scope="col">{t('standing.ap_destroyed')}</th>
              <th scope="col">{t('standing.other_found')}</th>
              <th scope="col">{t('standing.other_destroyed')}</th>
              <th scope="col">{t('standing.released_km2')}</th>
            </tr>
          </thead>
          <tbody>
            {progress.years.map((year) => (
              <tr key={year.year}>
                <th scope="row">
                  <YearName year={year.year} progress={progress} />
                </th>
                <td>{count(year.ap_mines_found)}</td>
                <td>{count(year.ap_mines_destroyed)}</td>
                <td>{count(year.other_found)}</td>
                <td>{count(year.other_destroyed)}</td>
                <td>{plainKm2(released(year))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function Deadlines({ progress }: { progress: Progress }) {
  const entries = progress.deadline.history?.entries ?? [];
  if (entries.length === 0) return <section class="empty">{t('standing.no_deadlines')}</section>;
  return (
    <section>
      <h2>{t('standing.deadlines')}</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('standing.deadline_kind')}</th>
              <th scope="col">{t('standing.requested_on')}</th>
              <th scope="col">{t('standing.decided_on')}</th>
              <th scope="col">{t('standing.new_deadline')}</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={`${entry.kind} ${entry.new_deadline}`}>
                <th scope="row">{word('deadline', entry.kind)}</th>
                <td>{day(entry.requested_on)}</td>
                <td>{day(entry.decided_on)}</td>
                <td>{day(entry.new_deadline)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
