// Where the programme stands against Article 5 of the Mine Ban Convention, on one page that can be printed and handed in.

import { useState } from 'preact/hooks';
import { query } from '../api';
import { come, today } from '../clock';
import { Day } from '../components/day';
import { Field } from '../components/field';
import { Fault, Safety, Show } from '../components/states';
import { download } from '../download';
import { t } from '../i18n';
import { useLoad } from '../load';
import { useProgramme } from '../programme';
import { amend, place } from '../router';
import { Behind } from './behind';
import { Comparison, Verdict } from './comparison';
import { Frozen } from './frozen';
import { BASES, type Basis, type Both, loadBoth, seesGround } from './model';
import { Released } from './released';
import { Remaining } from './remaining';
import { Balance, Deadlines, Ordnance, PlanAgainstActual, Provinces } from './tables';

export function StandingPage() {
  const chosen = place.value.parameters.get('as_of');
  const asOf = chosen && come(chosen);
  const [basis, setBasis] = useState<Basis>('official');
  const both = useLoad(`standing ${asOf}`, (signal) => loadBoth(asOf, signal));
  return (
    <article class="standing">
      <header class="head">
        <div>
          <h1>{t('standing.title')}</h1>
          {both.data && (
            <p class="muted" dir="auto">
              {both.data.official.programme}
              {both.data.official.constructed && <span class="badge warn">{t('constructed')}</span>}
            </p>
          )}
        </div>
        <div class="tools">
          <Field label={t('as_of')}>
            <Day
              value={asOf ?? both.data?.official.as_of ?? today()}
              onChange={(day) => amend({ as_of: day })}
            />
          </Field>
          <button type="button" onClick={() => print()}>
            {t('print')}
          </button>
        </div>
      </header>
      <Safety />
      <Show of={both}>{(data) => <Figures both={data} basis={basis} onBasis={setBasis} />}</Show>
    </article>
  );
}

function Figures(props: { both: Both; basis: Basis; onBasis: (basis: Basis) => void }) {
  const { both, basis, onBasis } = props;
  const [opened, setOpened] = useState<number | null>(null);
  const programme = useProgramme();
  const progress = both[basis];
  const open = seesGround(basis) ? setOpened : undefined;
  return (
    <>
      <Verdict progress={both.official} />
      <Comparison both={both} />
      <fieldset class="switch">
        <legend>{t('basis')}</legend>
        {BASES.map((known) => (
          <label key={known}>
            <input type="radio" name="basis" checked={known === basis} onChange={() => onBasis(known)} />
            {t(`basis.${known}`)}
          </label>
        ))}
        <small class="muted">{t(`basis.${basis}.hint`)}</small>
        <Workbook asOf={progress.as_of} basis={basis} />
      </fieldset>
      <div class="pair">
        <Remaining progress={progress} />
        <Released progress={progress} open={open} />
      </div>
      <Balance progress={progress} open={open} />
      <div class="pair">
        <Provinces progress={progress} units={programme?.units} />
        <PlanAgainstActual progress={progress} />
      </div>
      <div class="pair">
        <Ordnance progress={progress} />
        <div>
          <Deadlines progress={progress} />
          <Frozen />
        </div>
      </div>
      <p class="colophon">
        {t('standing.colophon', {
          basis: t(`basis.${basis}`),
          day: progress.as_of,
          seq: String(progress.seq),
        })}{' '}
        <span dir="ltr">{progress.algorithm}</span>
      </p>
      {opened !== null && open && (
        <Behind year={opened} basis={basis} asOf={progress.as_of} onClose={() => setOpened(null)} />
      )}
    </>
  );
}

/** The figures of one basis for a spreadsheet. */
function Workbook({ asOf, basis }: { asOf: string; basis: Basis }) {
  const [fault, setFault] = useState<unknown>();
  const path = query('/v1/progress/article5', { f: 'xlsx', as_of: asOf, basis });
  const save = () => {
    setFault(undefined);
    download(path, `article5-${asOf}-${basis}.xlsx`).catch(setFault);
  };
  return (
    <>
      <button type="button" class="no-print" onClick={save}>
        {t('standing.workbook')}
      </button>
      {fault !== undefined && <Fault fault={fault} />}
    </>
  );
}
