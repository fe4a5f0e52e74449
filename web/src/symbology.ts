// How ground looks, on maps, in charts and in legends alike: IMAS TN 07.11/01 where its values are known (CHA red, SHA
// orange, half transparent; open red outline, worked on dashed orange, closed green), our own proposal where they are
// not. A colour never stands alone: each has a pattern of its own, which colour-blind people and printers keep.

export type Hatch = 'down' | 'up' | 'down-wide' | 'cross' | 'horizontal' | 'vertical' | 'dots';

export interface Symbol {
  /** Of the ground. */
  fill: string;
  opacity: number;
  /** Of the pattern's lines. */
  ink: string;
  hatch: Hatch;
}

export const SYMBOLS = {
  cha: { fill: '#ff0000', opacity: 0.45, ink: '#a30000', hatch: 'down' },
  sha: { fill: '#f4a718', opacity: 0.45, ink: '#9a5b00', hatch: 'up' },
  contested: { fill: '#ffffff', opacity: 0, ink: '#3c1053', hatch: 'cross' },
  cleared: { fill: '#2f8f3a', opacity: 0.4, ink: '#14591d', hatch: 'vertical' },
  reduced: { fill: '#8bc34a', opacity: 0.4, ink: '#4b7a16', hatch: 'horizontal' },
  cancelled: { fill: '#9fb3a0', opacity: 0.4, ink: '#4f6650', hatch: 'dots' },
  bac_cleared: { fill: '#3f8f8b', opacity: 0.4, ink: '#1d5754', hatch: 'down-wide' },
} as const satisfies Record<string, Symbol>;

export type SymbolName = keyof typeof SYMBOLS;

export const RESULTS = ['cancelled', 'reduced', 'cleared', 'bac_cleared'] as const;

interface Outline {
  colour: string;
  /** Lengths of dashes and gaps by the line's width; round, where the dashes are dots. */
  dash?: number[];
  round?: boolean;
}

/** Outline of an area by what is done about it. Red and green are one colour to many: the lines differ too. */
export const OUTLINES: Record<'open' | 'worked' | 'closed', Outline> = {
  open: { colour: '#d40000' },
  worked: { colour: '#d98a00', dash: [2.4, 1.4] },
  closed: { colour: '#5c8f00', dash: [0.01, 1.8], round: true },
};

/** A status as its outline shows it. */
export function outlineOf(status: string): keyof typeof OUTLINES {
  if (status === 'open') return 'open';
  return status === 'released' || status === 'closed' ? 'closed' : 'worked';
}

/** The side of a pattern's tile, in units of the drawing. */
export const TILE = 8;

/** The lines of a pattern's tile as an SVG path; they meet at its edges. */
export function hatchPath(hatch: Hatch): string {
  switch (hatch) {
    case 'down':
      return 'M-2 6 2 10M0 0 8 8M6-2 10 2';
    case 'up':
      return 'M-2 2 2-2M0 8 8 0M6 10 10 6';
    case 'down-wide':
      return 'M0 0 8 8M-1 7 1 9M7-1 9 1';
    case 'cross':
      return 'M0 0 8 8M0 8 8 0';
    case 'horizontal':
      return 'M0 2H8M0 6H8';
    case 'vertical':
      return 'M2 0V8M6 0V8';
    case 'dots':
      return 'M2 1.2V2.8M6 5.2V6.8';
  }
}

/** The width of a pattern's lines. */
export function hatchWidth(hatch: Hatch): number {
  return hatch === 'dots' ? 1.6 : hatch === 'cross' ? 1.1 : 0.9;
}
