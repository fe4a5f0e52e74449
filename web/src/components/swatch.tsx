import { hatchPath, hatchWidth, SYMBOLS, type SymbolName, TILE } from '../symbology';

const id = (name: SymbolName) => `hatch-${name}`;

/** What fills an SVG shape with a symbol's colour and pattern; see [`Patterns`]. */
export function fillOf(name: SymbolName): string {
  return `url(#${id(name)})`;
}

/** The patterns of all symbols: once in the document, and never hidden, because what is hidden fills nothing. */
export function Patterns() {
  return (
    <svg class="patterns" aria-hidden="true">
      <defs>
        {(Object.keys(SYMBOLS) as SymbolName[]).map((name) => {
          const symbol = SYMBOLS[name];
          return (
            <pattern key={name} id={id(name)} width={TILE} height={TILE} patternUnits="userSpaceOnUse">
              <rect width={TILE} height={TILE} fill={symbol.fill} fill-opacity={symbol.opacity} />
              <path
                d={hatchPath(symbol.hatch)}
                stroke={symbol.ink}
                stroke-width={hatchWidth(symbol.hatch)}
                fill="none"
              />
            </pattern>
          );
        })}
      </defs>
    </svg>
  );
}

/** A symbol as it stands in a legend. */
export function Swatch({ name }: { name: SymbolName }) {
  return (
    <svg class="swatch" viewBox="0 0 24 16" aria-hidden="true">
      <rect x="0.5" y="0.5" width="23" height="15" fill={fillOf(name)} stroke={SYMBOLS[name].ink} />
    </svg>
  );
}
