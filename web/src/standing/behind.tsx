import type { Feature, FeatureCollection, Geometry } from 'geojson';
import { useState } from 'preact/hooks';
import { api, query } from '../api';
import { Dialog } from '../components/dialog';
import { Empty, Safety, Show } from '../components/states';
import { count, dayOfYear, m2, signedM2 } from '../format';
import { t, word } from '../i18n';
import { useLoad } from '../load';
import { useProgramme } from '../programme';
import { RecordLink } from '../record/name';
import { type Basis, TREATY } from './model';
import { Sketch } from './sketch';

export interface PieceProperties {
  area_m2: number;
  state: string;
  hazardous_area: string;
  /** What people call the area. */
  name: string | null;
  classification: string;
  admin1: string | null;
  land_release: string | null;
  released_on: string | null;
  result: string | null;
  share: Record<string, number> | null;
}

export type Pieces = FeatureCollection<Geometry, PieceProperties> & {
  total_m2: number;
  balance?: Record<string, number>;
};

/** What comes into the balance; everything else leaves it. */
const ADDS = new Set(['newly_identified_m2', 'enlarged_m2', 'reclassified_in_m2']);

/** What a piece of ground adds to what remains, or takes from it, in words. */
function effect({ share }: PieceProperties): [string, number][] {
  const flows = Object.entries(share ?? {}).filter(
    ([name, area]) => area !== 0 && !['opening_m2', 'closing_m2', 'residual_m2'].includes(name),
  );
  return flows.map(([name, area]) => [word('balance', name), ADDS.has(name) ? area : -area]);
}

/** Rows that a table begins with. */
const ROWS = 200;

const matters = ({ properties }: Feature<Geometry, PieceProperties>) => effect(properties).length > 0;

/** The polygons behind a year of the balance. */
export function Behind(props: { year: number; basis: Basis; asOf: string; onClose: () => void }) {
  const { year, basis, asOf } = props;
  const isOver = `${year}-12-31` <= asOf;
  const to = isOver ? `${year}-12-31` : asOf;
  const period = isOver ? String(year) : t('standing.running', { year: String(year), day: dayOfYear(to) });
  const path = query('/v1/ledger/pieces', { from: `${year}-01-01`, to, basis, treaty: TREATY, moved: true });
  // Not live: what is read and counted here must not change under its reader's eyes.
  const pieces = useLoad(path, (signal) => api.get<Pieces>(path, { signal }), false);
  const [rows, setRows] = useState(ROWS);
  const units = useProgramme()?.units;
  return (
    <Dialog
      title={t('behind.title', { year: period, basis: t(`basis.${basis}`) })}
      wide
      onClose={props.onClose}
    >
      <Show of={pieces}>
        {(data) => {
          const moved = data.features.filter(matters);
          if (moved.length === 0) return <Empty>{t('behind.nothing')}</Empty>;
          return (
            <>
              <p class="muted">{t('behind.lead', { count: moved.length })}</p>
              <Sketch features={moved} label={t('behind.sketch')} />
              <div class="scroll tall">
                <table class="figures">
                  <thead>
                    <tr>
                      <th scope="col">{t('behind.hazard')}</th>
                      <th scope="col" class="words">
                        {t('province')}
                      </th>
                      <th scope="col" class="words">
                        {t('classification')}
                      </th>
                      <th scope="col" class="words">
                        {t('behind.effect')}
                      </th>
                      <th scope="col">{t('behind.area')}</th>
                      <th scope="col">{t('behind.released_on')}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {moved.slice(0, rows).map(({ properties: piece }, place) => (
                      <tr key={`${piece.hazardous_area} ${piece.land_release} ${place}`}>
                        <th scope="row">
                          <RecordLink
                            id={piece.hazardous_area}
                            name={piece.name}
                            when={{ as_of: to, basis }}
                          />
                        </th>
                        <td class="words" dir="auto">
                          {(piece.admin1 && units?.get(piece.admin1)) ?? t('none')}
                        </td>
                        <td class="words">{piece.classification.toUpperCase()}</td>
                        <td class="words">
                          {effect(piece).map(([name, area]) => (
                            <div key={name}>
                              {name} {signedM2(area)}
                            </div>
                          ))}
                        </td>
                        <td>{m2(piece.area_m2)}</td>
                        <td>{piece.released_on ?? t('none')}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
                {rows < moved.length && (
                  <p class="more">
                    {t('more.shown', { count: count(rows) })}{' '}
                    <button type="button" onClick={() => setRows(rows + ROWS)}>
                      {t('more.show')}
                    </button>
                  </p>
                )}
              </div>
            </>
          );
        }}
      </Show>
      <Safety />
    </Dialog>
  );
}
