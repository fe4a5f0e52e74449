import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { t } from '../i18n';
import { AreaAxis, areaScale, Chart, HEIGHT, MARGIN, WIDTH, YearAxis } from './axis';
import type { Progress } from './model';

/** A day as a year with its fraction. */
function yearOf(day: string): number {
  const year = Number(day.slice(0, 4));
  const from = Date.UTC(year, 0, 1);
  return year + (Date.parse(day) - from) / (Date.UTC(year + 1, 0, 1) - from);
}

/** A projection further ahead than this says little, and would make the past unreadable. */
const YEARS_AHEAD = 15;

/** What remained at the end of each year, and when it would be nothing at the pace of the last years. */
export function Remaining({ progress }: { progress: Progress }) {
  const { years, forecast, deadline } = progress;
  const now = yearOf(progress.as_of);
  const ends = Object.values(forecast.completion).filter((day) => day !== null);
  const last = Math.max(now + 1, ...[...ends, deadline.current].filter((day) => day !== null).map(yearOf));
  const first = years[0]?.year ?? now;
  const x = scaleLinear()
    .domain([first, Math.min(Math.ceil(last), Math.ceil(now) + YEARS_AHEAD)])
    .range([MARGIN.left, WIDTH - MARGIN.right]);
  const y = areaScale(Math.max(progress.remaining_m2, ...years.map((year) => year.remaining_m2)));
  const points: [number, number][] = years.map((year) => [Math.min(year.year + 1, now), year.remaining_m2]);
  const draw = line<[number, number]>(
    ([when]) => x(when),
    ([, area]) => y(area),
  );
  const fan = (day: string | null): [number, number][] => {
    if (!day) return [];
    const [end, edge] = [yearOf(day), x.domain()[1] as number];
    const left = end <= edge ? 0 : progress.remaining_m2 * (1 - (edge - now) / (end - now));
    return [
      [now, progress.remaining_m2],
      [Math.min(end, edge), left],
    ];
  };
  const { earliest, mean, latest, net } = forecast.completion;
  const range = [...fan(earliest), ...fan(latest).reverse()];
  const due = deadline.current ? x(yearOf(deadline.current)) : null;
  return (
    <figure>
      <figcaption>
        <h3>{t('standing.remaining_by_year')}</h3>
        <ul class="key">
          {(['history', 'mean', 'net', 'range', 'deadline'] as const).map((name) => (
            <li key={name}>
              <svg class="swatch" viewBox="0 0 24 16" aria-hidden="true">
                {name === 'range' ? (
                  <rect class="range" width="24" height="16" />
                ) : (
                  <path class={name} d="M0 8H24" />
                )}
              </svg>
              {t(`standing.line_${name}`)}
            </li>
          ))}
        </ul>
      </figcaption>
      <Chart title={t('standing.remaining_by_year')} description={t('standing.remaining_description')}>
        <AreaAxis y={y} unit="km²" />
        <YearAxis years={x.ticks(8).filter(Number.isInteger)} at={x} />
        {range.length > 2 && <path class="range" d={`${draw(range)}Z`} />}
        <path class="net" d={draw(fan(net)) ?? ''} />
        <path class="mean" d={draw(fan(mean)) ?? ''} />
        <path class="history" d={draw(points) ?? ''} />
        {points.map(([when, area]) => (
          <circle key={when} class="history" cx={x(when)} cy={y(area)} r={2.6} />
        ))}
        {due !== null && due <= WIDTH - MARGIN.right && (
          <g>
            <path class="deadline" d={`M${due} ${MARGIN.top}V${HEIGHT - MARGIN.bottom}`} />
            <text class="mark" x={due - 5} y={MARGIN.top + 8} text-anchor="end">
              {deadline.current}
            </text>
          </g>
        )}
      </Chart>
    </figure>
  );
}
