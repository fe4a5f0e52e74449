import { scaleBand } from 'd3-scale';
import { stack } from 'd3-shape';
import { fillOf, Swatch } from '../components/swatch';
import { dayOfYear, km2 } from '../format';
import { t, word } from '../i18n';
import { RESULTS, SYMBOLS } from '../symbology';
import { AreaAxis, areaScale, Chart, HEIGHT, MARGIN, middle, WIDTH, YearAxis } from './axis';
import { type Progress, released, runningYear, type Year } from './model';

const amount = (year: Year, result: string) => year[`${result}_m2` as keyof Year];

/** Ground released year by year, against the plan and the rate that the deadline requires. A year opens into its ground. */
export function Released({ progress, open }: { progress: Progress; open?: (year: number) => void }) {
  const { years, forecast } = progress;
  const running = runningYear(progress);
  const plans = new Map(progress.milestones.map((plan) => [plan.year, plan.planned_m2]));
  const required = forecast.required_m2_per_year ?? 0;
  const shown = years.map((year) => plans.get(year.year) ?? 0);
  const y = areaScale(Math.max(required, ...shown, ...years.map(released)));
  const x = scaleBand<number>()
    .domain(years.map((year) => year.year))
    .range([MARGIN.left, WIDTH - MARGIN.right])
    .padding(0.28);
  const layers = stack<Year, string>().keys(RESULTS).value(amount)(years);
  return (
    <figure>
      <figcaption>
        <h3>{t('standing.released')}</h3>
        <ul class="key">
          {RESULTS.map((result) => (
            <li key={result}>
              <Swatch name={result} />
              {word('result', result)}
            </li>
          ))}
          <li>
            <svg class="swatch" viewBox="0 0 24 16" aria-hidden="true">
              <path class="plan" d="M2 8H22" />
            </svg>
            {t('standing.planned')}
          </li>
          {required > 0 && (
            <li>
              <svg class="swatch" viewBox="0 0 24 16" aria-hidden="true">
                <path class="required" d="M0 8H24" />
              </svg>
              {t('standing.required')}
            </li>
          )}
          {running !== null && years.some(({ year }) => year === running) && (
            <li>
              <svg class="swatch" viewBox="0 0 24 16" aria-hidden="true">
                <rect
                  class="running"
                  x="0.5"
                  y="0.5"
                  width="23"
                  height="15"
                  fill="none"
                  stroke="currentColor"
                />
              </svg>
              {t('standing.running', { year: String(running), day: dayOfYear(progress.as_of) })}
            </li>
          )}
        </ul>
      </figcaption>
      <Chart title={t('standing.released')} description={t('standing.released_description')}>
        <AreaAxis y={y} unit="km²" />
        <YearAxis years={years.map((year) => year.year)} at={middle(x)} />
        {layers.map((layer) => (
          <g key={layer.key} aria-hidden="true">
            {layer.map((band) => (
              <rect
                key={band.data.year}
                x={x(band.data.year)}
                width={x.bandwidth()}
                y={y(band[1])}
                height={Math.max(0, y(band[0]) - y(band[1]))}
                class={band.data.year === running ? 'running' : undefined}
                fill={fillOf(layer.key as (typeof RESULTS)[number])}
                stroke={SYMBOLS[layer.key as (typeof RESULTS)[number]].ink}
                stroke-width={band[1] > band[0] ? 0.75 : 0}
              />
            ))}
          </g>
        ))}
        {years.map((year) => {
          const plan = plans.get(year.year);
          const left = x(year.year) ?? 0;
          return plan === undefined ? null : (
            <path key={year.year} class="plan" d={`M${left - 4} ${y(plan)}h${x.bandwidth() + 8}`} />
          );
        })}
        {required > 0 && (
          <path class="required" d={`M${MARGIN.left} ${y(required)}H${WIDTH - MARGIN.right}`} />
        )}
        {open &&
          years.map((year) => (
            <Opener
              key={year.year}
              year={year}
              until={year.year === running ? progress.as_of : null}
              x={x(year.year) ?? 0}
              width={x.bandwidth()}
              open={open}
            />
          ))}
      </Chart>
    </figure>
  );
}

/** A year's column as something to press: with the mouse, a finger or the keyboard. */
function Opener(props: {
  year: Year;
  /** The day of the figures, in a year that is not over. */
  until: string | null;
  x: number;
  width: number;
  open: (year: number) => void;
}) {
  const { year, until, open } = props;
  const name = String(year.year);
  const label = t('standing.open_year', {
    year: until ? t('standing.running', { year: name, day: dayOfYear(until) }) : name,
    area: km2(released(year)),
  });
  return (
    <rect
      class="opener"
      role="button"
      tabindex={0}
      aria-label={label}
      x={props.x - 6}
      width={props.width + 12}
      y={MARGIN.top}
      height={HEIGHT - MARGIN.bottom - MARGIN.top}
      onClick={() => open(year.year)}
      onKeyDown={(event) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          open(year.year);
        }
      }}
    >
      <title>{label}</title>
    </rect>
  );
}
