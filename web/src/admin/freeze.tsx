import { useState } from 'preact/hooks';
import { api } from '../api';
import { Act } from '../components/act';
import { Choice } from '../components/field';
import { t } from '../i18n';
import { Frozen } from '../standing/frozen';
import { BASES, type Basis } from '../standing/model';

/** Years that can still be frozen from this list; older ones by the API. */
const YEARS = 12;

/** Freezes a reporting year: its figures are kept with their hash for ever. */
export function FreezeYear() {
  const [asking, setAsking] = useState(false);
  const last = new Date().getFullYear() - 1;
  const [year, setYear] = useState(last);
  const [basis, setBasis] = useState<Basis>('official');
  return (
    <>
      <Frozen />
      <p class="actions">
        <button type="button" onClick={() => setAsking(true)}>
          {t('freeze.title')}
        </button>
      </p>
      {asking && (
        <Act
          title={t('freeze.title')}
          submit={t('freeze.submit', { year: String(year) })}
          reason="optional"
          act={(note) => api.post('/v1/ledger/freezes', { year, basis, note: note || null })}
          onClose={() => setAsking(false)}
        >
          <p class="muted">{t('freeze.lead')}</p>
          <Choice
            label={t('year')}
            value={String(year)}
            options={Array.from({ length: YEARS }, (_, back) => [String(last - back), String(last - back)])}
            onChange={(chosen) => setYear(Number(chosen))}
          />
          <Choice
            label={t('basis')}
            value={basis}
            options={BASES.map((known) => [known, t(`basis.${known}`)])}
            onChange={(chosen) => setBasis(chosen as Basis)}
          />
        </Act>
      )}
    </>
  );
}
