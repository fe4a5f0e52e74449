import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { t } from '../i18n';
import { AreaAxis, areaScale, Chart, HEIGHT, MARGIN, WIDTH, YearAxis } from './axis';
import { type Progress, released } from './model';

/** A day as a year with its fraction. */
function yearOf(day: string): number {
  const year = Number(day.slice(0, 4));
  const from = Date.UTC(year, 0, 1);
  return year + (Date.parse(day) - from) / (Date.UTC(year + 1, 0, 1) - from);
}

/** A projection further ahead than this says little, and would make the past unreadable. */
const YEARS_AHEAD = 15;

type Line = [when: number, area: number][];

/** What would remain until the chart's edge: at the mean pace, net of what is newly found, and from the fastest year to the slowest. */
function projections({ years, forecast, remaining_m2 }: Progress, now: number, edge: number) {
  const counted = years.filter(({ year }) => forecast.years.includes(year));
  if (counted.length === 0 || remaining_m2 <= 0) return { mean: [], net: [], range: [] };
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const paces = counted.map(released);
  const found = mean(counted.map(({ found_m2 }) => found_m2));
  // A pace that never ends the work is drawn as it is: that it leads nowhere is what must be seen.
  const to = (day: string | null, pace: number): Line => {
    const end = day === null ? edge : Math.min(yearOf(day), edge);
    const spent = day === null ? pace * (edge - now) : (remaining_m2 * (end - now)) / (yearOf(day) - now);
    return [
      [now, remaining_m2],
      [end, remaining_m2 - spent],
    ];
  };
  const { earliest, mean: middle, latest, net } = forecast.completion;
  const [fast, slow] = [to(earliest, Math.max(...paces)), to(latest, Math.min(...paces))];
  // After the earliest end nothing remains, until the latest.
  const rest: Line = [[Math.max(...[fast, slow].map((one) => one[1]?.[0] ?? now)), fast[1]?.[1] ?? 0]];
  return {
    mean: to(middle, mean(paces)),
    net: to(net, mean(paces) - found),
    range: [...fast, ...rest, ...slow.reverse()],
  };
}

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
  const edge = x.domain()[1] as number;
  const lines = projections(progress, now, edge);
  const heights = [...years.map((year) => year.remaining_m2), ...lines.net.map(([, area]) => area)];
  const y = areaScale(Math.max(progress.remaining_m2, ...heights));
  const points: [number, number][] = years.map((year) => [Math.min(year.year + 1, now), year.remaining_m2]);
  const draw = line<[number, number]>(
    ([when]) => x(when),
    ([, area]) => y(area),
  );
  const drawn = (['history', 'mean', 'net', 'range', 'deadline'] as const).filter(
    (name) => !(name in lines) || lines[name as keyof typeof lines].length > 1,
  );
  const due = deadline.current ? x(yearOf(deadline.current)) : null;
  return (
    <figure>
      <figcaption>
        <h3>{t('standing.remaining_by_year')}</h3>
        <ul class="key">
          {drawn.map((name) => (
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
        {lines.range.length > 1 && <path class="range" d={`${draw(lines.range)}Z`} />}
        <path class="net" d={draw(lines.net) ?? ''} />
        <path class="mean" d={draw(lines.mean) ?? ''} />
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
