// The frame of a chart: its scales, its grid and its labels. Charts run from left to right in every language.

import { type ScaleBand, type ScaleLinear, scaleLinear } from 'd3-scale';
import type { ComponentChildren } from 'preact';
import { plainKm2 } from '../format';

export const WIDTH = 640;
export const HEIGHT = 300;
export const MARGIN = { top: 26, right: 16, bottom: 30, left: 52 };

export function areaScale(largest: number): ScaleLinear<number, number> {
  return scaleLinear()
    .domain([0, largest || 1])
    .nice(5)
    .range([HEIGHT - MARGIN.bottom, MARGIN.top]);
}

export function Chart(props: { title: string; description: string; children: ComponentChildren }) {
  return (
    <svg
      class="chart"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      direction="ltr"
      role="group"
      aria-label={props.title}
    >
      <desc>{props.description}</desc>
      {props.children}
    </svg>
  );
}

export function AreaAxis({ y, unit }: { y: ScaleLinear<number, number>; unit: string }) {
  return (
    <g class="axis" aria-hidden="true">
      {y.ticks(5).map((tick) => (
        <g key={tick} transform={`translate(0 ${y(tick)})`}>
          <line x1={MARGIN.left} x2={WIDTH - MARGIN.right} />
          <text x={MARGIN.left - 8} dy="0.32em" text-anchor="end">
            {plainKm2(tick).replace(/[.,]?0+$/, '') || '0'}
          </text>
        </g>
      ))}
      <text x={MARGIN.left - 8} y={MARGIN.top - 13} text-anchor="end">
        {unit}
      </text>
    </g>
  );
}

export function YearAxis({ years, at }: { years: number[]; at: (year: number) => number }) {
  const every = years.length > 14 ? 2 : 1;
  return (
    <g class="axis" aria-hidden="true">
      {years
        .filter((_, place) => place % every === 0)
        .map((year) => (
          <text key={year} x={at(year)} y={HEIGHT - 10} text-anchor="middle">
            {year}
          </text>
        ))}
    </g>
  );
}

/** The middle of a year's band. */
export function middle(x: ScaleBand<number>): (year: number) => number {
  return (year) => (x(year) ?? 0) + x.bandwidth() / 2;
}
