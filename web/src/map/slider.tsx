import { useEffect, useState } from 'preact/hooks';
import { today } from '../clock';
import { t } from '../i18n';

const DAY_MS = 86_400_000;
/** How far back the slider reaches; the date beside it reaches any day. */
const YEARS = 10;
/** While the slider moves, only where it rests is asked for. */
const REST_MS = 180;

const number = (day: string) => Math.round(Date.parse(day) / DAY_MS);
const dayOf = (count: number) => new Date(count * DAY_MS).toISOString().slice(0, 10);

/** The end of the day that the map shows. */
export function Slider({ asOf, onChange }: { asOf: string; onChange: (day: string | null) => void }) {
  const last = number(today());
  const first = last - YEARS * 365.25;
  const [value, setValue] = useState(number(asOf));
  useEffect(() => setValue(number(asOf)), [asOf]);
  useEffect(() => {
    if (value === number(asOf)) return;
    const timer = setTimeout(() => onChange(value >= last ? null : dayOf(value)), REST_MS);
    return () => clearTimeout(timer);
  }, [value, asOf, last, onChange]);
  return (
    <div class="slider">
      <label>
        <span>{t('as_of')}</span>
        <input
          type="date"
          value={dayOf(value)}
          max={today()}
          onChange={(event) => event.currentTarget.value && onChange(event.currentTarget.value)}
        />
      </label>
      <input
        type="range"
        dir="ltr"
        aria-label={t('map.slider')}
        aria-valuetext={dayOf(value)}
        min={Math.ceil(first)}
        max={last}
        step={1}
        value={value}
        onInput={(event) => setValue(Number(event.currentTarget.value))}
      />
      <button type="button" disabled={value >= last} onClick={() => onChange(null)}>
        {t('today')}
      </button>
    </div>
  );
}
