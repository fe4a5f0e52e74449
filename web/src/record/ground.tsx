import { Empty, Show } from '../components/states';
import { Swatch } from '../components/swatch';
import { m2 } from '../format';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { href } from '../router';
import type { Pieces } from '../standing/behind';
import type { Basis } from '../standing/model';
import { RESULTS, type SymbolName } from '../symbology';
import { loadGround, type RecordFeature } from './model';

interface Part {
  symbol: SymbolName;
  label: string;
  other: string | null;
  area: number;
  on: string | null;
}

function parts(pieces: Pieces, of: RecordFeature): Part[] {
  return pieces.features.map(({ properties: piece }) => {
    const result = RESULTS.find((known) => known === piece.result);
    const released = piece.state === 'released' && result;
    return {
      symbol: released || (piece.classification === 'cha' ? 'cha' : 'sha'),
      label: released
        ? word('result', released)
        : t('ground.remains', { class: piece.classification.toUpperCase() }),
      other: of.kind === 'land_release' ? piece.hazardous_area : piece.land_release,
      area: piece.area_m2,
      on: piece.released_on,
    };
  });
}

/** The disjoint pieces that the figures count of an area or a release at the end of a day. */
export function Ground({ record, asOf, basis }: { record: RecordFeature; asOf: string; basis: Basis }) {
  const ground = useLoad(`ground ${record.id} ${asOf} ${basis}`, (signal) =>
    loadGround<Pieces>(record.id, record.kind, asOf, basis, signal),
  );
  return (
    <section class="ground">
      <h3>{t('ground.title', { day: asOf, basis: t(`basis.${basis}`) })}</h3>
      <Show of={ground}>
        {(pieces) => {
          const rows = parts(pieces, record);
          if (rows.length === 0) return <Empty>{t('ground.nothing')}</Empty>;
          return (
            <table class="figures pieces">
              <tbody>
                {rows.map((part, place) => (
                  <tr key={`${part.other} ${place}`}>
                    <th scope="row">
                      <Swatch name={part.symbol} /> {part.label}
                      {part.on && <small class="muted"> {part.on}</small>}
                    </th>
                    <td>
                      {part.other ? (
                        <a href={href('map', { record: part.other, as_of: asOf, basis })}>{m2(part.area)}</a>
                      ) : (
                        m2(part.area)
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
              <tfoot>
                <tr>
                  <th scope="row">{t('total')}</th>
                  <td>{m2(pieces.total_m2)}</td>
                </tr>
              </tfoot>
            </table>
          );
        }}
      </Show>
    </section>
  );
}
