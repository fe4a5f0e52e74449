// The pictures that the map draws with, made in the browser: patterns of ground, signs of points.

import type { Map as MapLibre } from 'maplibre-gl';
import { hatchPath, hatchWidth, type Symbol as Pattern, SYMBOLS, type SymbolName, TILE } from '../symbology';
import { PARTS } from './style';

/** Pictures are drawn finer than the screen, for printers. */
const SCALE = 4;

function canvas(side: number, draw: (context: CanvasRenderingContext2D) => void): ImageData {
  const sheet = new OffscreenCanvas(side * SCALE, side * SCALE);
  const context = sheet.getContext('2d') as unknown as CanvasRenderingContext2D;
  context.scale(SCALE, SCALE);
  draw(context);
  return context.getImageData(0, 0, side * SCALE, side * SCALE);
}

function pattern(symbol: Pattern): ImageData {
  return canvas(TILE, (context) => {
    context.globalAlpha = symbol.opacity;
    context.fillStyle = symbol.fill;
    context.fillRect(0, 0, TILE, TILE);
    context.globalAlpha = 0.85;
    context.strokeStyle = symbol.ink;
    context.lineWidth = hatchWidth(symbol.hatch);
    context.stroke(new Path2D(hatchPath(symbol.hatch)));
  });
}

export interface Sign {
  path: string;
  fill: string;
  line: string;
}

/** Signs of points in a square of 20: each has a shape of its own. */
export const SIGNS = {
  hazardous_area: { path: 'M10 2 18.5 17H1.5Z', fill: '#ff3b30', line: '#5e0a05' },
  eo_item: { path: 'M10 3 17 10 10 17 3 10Z', fill: '#1b2733', line: '#ffffff' },
  accident: {
    path: 'M10 1 12.2 7 18.5 4.5 14.6 10 18.5 15.5 12.2 13 10 19 7.8 13 1.5 15.5 5.4 10 1.5 4.5 7.8 7Z',
    fill: '#b3009e',
    line: '#ffffff',
  },
  task: { path: 'M4 4H16V16H4Z', fill: '#1769aa', line: '#ffffff' },
} as const satisfies Record<string, Sign>;

export type SignName = keyof typeof SIGNS;

function sign(name: SignName): ImageData {
  const { path, fill, line } = SIGNS[name];
  return canvas(20, (context) => {
    const shape = new Path2D(path);
    context.fillStyle = fill;
    context.fill(shape);
    context.strokeStyle = line;
    context.lineWidth = 1.2;
    context.lineJoin = 'round';
    context.stroke(shape);
  });
}

export function addImages(map: MapLibre): void {
  for (const name of Object.keys(SYMBOLS) as SymbolName[]) {
    map.addImage(`hatch-${name}`, pattern(SYMBOLS[name]), { pixelRatio: SCALE });
  }
  for (const [name, { fill, opacity, line, hatch }] of Object.entries(PARTS)) {
    if (hatch)
      map.addImage(`part-${name}`, pattern({ fill, opacity, ink: line, hatch }), { pixelRatio: SCALE });
  }
  for (const name of Object.keys(SIGNS) as SignName[]) {
    map.addImage(`sign-${name}`, sign(name), { pixelRatio: SCALE });
  }
}
