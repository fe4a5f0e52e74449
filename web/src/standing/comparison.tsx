import { km2, ratio, signedM2 } from '../format';
import { t, word } from '../i18n';
import { areComparable, type Both, type Progress } from './model';

/** On track or not, and why, in the server's own words. */
export function Verdict({ progress }: { progress: Progress }) {
  const { standing, reasoning } = progress.forecast;
  const good = standing === 'on_track' || standing === 'complete';
  const open = standing === 'undetermined' || standing === 'no_deadline';
  return (
    <section class={`verdict ${good ? 'good' : open ? 'open' : 'bad'}`} aria-label={t('standing.verdict')}>
      <strong>{word('verdict', standing)}</strong>
      <p lang="en" dir="ltr">
        {reasoning}
      </p>
    </section>
  );
}

const perYear = (value: number | null) =>
  value === null ? t('none') : t('unit.per_year', { value: km2(value) });

function years(progress: Progress): string {
  const { years } = progress.forecast;
  return years.length > 1 ? `${years[0]}–${years[years.length - 1]}` : years.join();
}

function range(progress: Progress): string {
  const { earliest, latest } = progress.forecast.completion;
  return t('standing.range', { from: earliest ?? t('none'), to: latest ?? t('standing.never') });
}

/** The figures that people ask for first, on both bases. */
export function Comparison({ both }: { both: Both }) {
  const { official, provisional } = both;
  const rows: [label: string, figure: (progress: Progress) => string, strong?: boolean][] = [
    [t('standing.remaining'), (of) => km2(of.remaining_m2), true],
    [t('standing.classes'), classes],
    [t('standing.required'), (of) => perYear(of.forecast.required_m2_per_year)],
    [t('standing.mean', { years: years(official) }), (of) => perYear(of.forecast.mean_m2_per_year)],
    [t('standing.gap'), (of) => (of.forecast.gap === null ? t('none') : ratio(of.forecast.gap))],
    [t('standing.projected'), (of) => of.forecast.completion.mean ?? t('standing.never'), true],
    [t('standing.projected_range'), range],
    [t('standing.projected_net'), (of) => of.forecast.completion.net ?? t('standing.never')],
    [t('standing.reported_only'), reportedOnly],
    [t('standing.left_out'), (of) => String(of.records_left_out)],
  ];
  return (
    <section class="comparison">
      <div class="deadline">
        <span>{t('standing.deadline')}</span>
        <strong>{official.deadline.current ?? t('standing.no_deadline')}</strong>
      </div>
      <table>
        <caption class="unseen">{t('standing.comparison')}</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">{t('basis.official')}</th>
            <th scope="col">{t('basis.provisional')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([label, figure, strong]) => (
            <tr key={label} class={strong ? 'strong' : undefined}>
              <th scope="row">{label}</th>
              <td>{figure(official)}</td>
              <td>{figure(provisional)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {areComparable(both) && (
        <p class="muted">
          {t('standing.difference', { area: signedM2(provisional.remaining_m2 - official.remaining_m2) })}
        </p>
      )}
    </section>
  );
}

function classes(progress: Progress): string {
  const of = (classification: string) => {
    const rows = progress.remaining.filter((row) => row.classification === classification);
    return km2(rows.reduce((sum, row) => sum + row.area_m2, 0));
  };
  return `${of('cha')} · ${of('sha')}`;
}

function reportedOnly(progress: Progress): string {
  const { areas, reported_m2 } = progress.reported_only;
  return t('standing.areas_and_size', { areas, size: km2(reported_m2) });
}
