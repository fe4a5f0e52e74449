import { geoPath, geoTransform } from 'd3-geo';
import type { Feature, Geometry } from 'geojson';
import { GroundKey } from '../components/ground_key';
import { Show } from '../components/states';
import { fillOf } from '../components/swatch';
import { type Programme, useLoadedProgramme } from '../programme';
import { RESULTS, SYMBOLS, type SymbolName } from '../symbology';
import type { PieceProperties } from './behind';

type Piece = Feature<Geometry, PieceProperties>;

const WIDTH = 720;
const HEIGHT = 260;
const MARGIN = 8;
/** A piece is a spot on a map of the country: its outline is drawn so wide that it is seen. */
const SEEN = 3;

function symbolOf(piece: PieceProperties): SymbolName {
  const result = RESULTS.find((known) => known === piece.result);
  return piece.state === 'released' && result ? result : piece.classification === 'cha' ? 'cha' : 'sha';
}

/** Draws degrees, a degree of longitude as long as it is in the middle of the country. */
function drawing({ west, south, east, north }: Programme['extent']) {
  const narrow = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = Math.min(
    (WIDTH - 2 * MARGIN) / ((east - west) * narrow),
    (HEIGHT - 2 * MARGIN) / (north - south),
  );
  const left = (WIDTH - (east - west) * narrow * scale) / 2;
  return geoPath(
    geoTransform({
      point(lon, lat) {
        this.stream.point(left + (lon - west) * narrow * scale, MARGIN + (north - lat) * scale);
      },
    }),
  );
}

/** Where in the country some pieces of ground lie. The map page shows them exactly. */
export function Sketch({ features, label }: { features: Piece[]; label: string }) {
  const loaded = useLoadedProgramme();
  return (
    <Show of={loaded}>
      {({ programme }) => (
        <>
          <Drawn programme={programme} features={features} label={label} />
          <GroundKey of={new Set(features.map(({ properties }) => symbolOf(properties)))} />
        </>
      )}
    </Show>
  );
}

function Drawn(props: { programme: Programme; features: Piece[]; label: string }) {
  const { programme, features, label } = props;
  const path = drawing(programme.extent);
  return (
    <svg class="sketch" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      {programme.admin_units?.features
        .filter((unit) => unit.properties?.level === 1)
        .map((unit) => (
          <path key={String(unit.properties?.code)} class="unit" d={path(unit) ?? ''} />
        ))}
      {features.map((piece, place) => {
        const symbol = symbolOf(piece.properties);
        return (
          <path
            key={`${piece.properties.hazardous_area} ${place}`}
            d={path(piece) ?? ''}
            fill={fillOf(symbol)}
            stroke={SYMBOLS[symbol].ink}
            stroke-width={SEEN}
            stroke-linejoin="round"
          />
        );
      })}
    </svg>
  );
}
