import { api } from '../api';
import { Empty, Show } from '../components/states';
import { moment } from '../format';
import { t } from '../i18n';
import { useLoad } from '../load';
import type { Basis, Freeze } from './model';

/** The years whose figures were published, and whether the books still say the same. */
export function Frozen() {
  const frozen = useLoad('freezes', (signal) =>
    api.get<{ freezes: Freeze[] }>('/v1/ledger/freezes', { signal }),
  );
  return (
    <section>
      <h2>{t('standing.frozen')}</h2>
      <Show of={frozen}>
        {({ freezes }) =>
          freezes.length === 0 ? (
            <Empty>{t('standing.nothing_frozen')}</Empty>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">{t('year')}</th>
                  <th scope="col">{t('basis')}</th>
                  <th scope="col">{t('standing.taken_at')}</th>
                  <th scope="col">{t('standing.since')}</th>
                </tr>
              </thead>
              <tbody>
                {freezes.map(({ freeze, unchanged }) => (
                  <tr key={freeze.id} title={`SHA-256 ${freeze.hash}`}>
                    <th scope="row">{freeze.year}</th>
                    <td>{t(`basis.${freeze.basis as Basis}`)}</td>
                    <td>{moment(freeze.taken_at)}</td>
                    <td>{t(unchanged ? 'standing.unchanged' : 'standing.adjusted')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Show>
    </section>
  );
}
