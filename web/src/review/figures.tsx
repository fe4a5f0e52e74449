import { useState } from 'preact/hooks';
import { api, query } from '../api';
import { Show } from '../components/states';
import { km2, longDay, signedM2 } from '../format';
import { t } from '../i18n';
import { useLoad } from '../load';
import { may } from '../session';
import { BASES, TREATY } from '../standing/model';

interface Answer {
  total_m2: number;
  as_of: string;
}

/** What remains on both bases, and how it has moved since this page was opened. */
export function Figures() {
  const figures = useLoad(may('ReadLedger') ? 'review figures' : null, async (signal) => {
    const answers = BASES.map((basis) =>
      api.get<Answer>(query('/v1/ledger/remaining', { basis, treaty: TREATY }), { signal }),
    );
    return Promise.all(answers);
  });
  if (!may('ReadLedger')) return null;
  return <Show of={figures}>{(now) => <Strip figures={now} />}</Show>;
}

function Strip({ figures }: { figures: Answer[] }) {
  const [began] = useState(figures);
  return (
    <dl class="strip" aria-live="polite">
      {BASES.map((basis, place) => {
        const now = figures[place]?.total_m2 ?? 0;
        const moved = now - (began[place]?.total_m2 ?? now);
        const asOf = figures[place]?.as_of;
        return (
          <div key={basis} data-basis={basis}>
            <dt>
              {t('review.remaining', { basis: t(`basis.${basis}`), day: asOf ? longDay(asOf) : t('today') })}
            </dt>
            <dd>
              {km2(now)}
              {Math.abs(moved) >= 0.5 && <span class="badge good">{signedM2(moved)}</span>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
