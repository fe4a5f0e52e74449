import { nameOfSymbol } from '../map/named';
import { RESULTS, type SymbolName } from '../symbology';
import { Swatch } from './swatch';

/** Hazardous and released ground, as every map draws it. */
const GROUND: SymbolName[] = ['cha', 'sha', ...RESULTS];

/** What ground looks like; only what `of` holds, where it is known. */
export function GroundKey({ of }: { of?: ReadonlySet<SymbolName> }) {
  return (
    <ul class="key">
      {GROUND.filter((name) => !of || of.has(name)).map((name) => (
        <li key={name}>
          <Swatch name={name} />
          {nameOfSymbol(name)}
        </li>
      ))}
    </ul>
  );
}
