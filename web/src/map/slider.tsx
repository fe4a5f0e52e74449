import { useEffect, useRef, useState } from 'preact/hooks';
import { today } from '../clock';
import { Day } from '../components/day';
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
  /** Where the slider has been moved to; nothing once the map shows it. */
  const [moved, setMoved] = useState<number | null>(null);
  const change = useRef(onChange);
  change.current = onChange;
  useEffect(() => {
    if (moved === null) return;
    const timer = setTimeout(() => {
      change.current(moved >= last ? null : dayOf(moved));
      setMoved(null);
    }, REST_MS);
    return () => clearTimeout(timer);
  }, [moved, last]);
  const shown = moved === null ? asOf : dayOf(moved);
  return (
    <div class="slider">
      {/* biome-ignore lint/a11y/noLabelWithoutControl: the control is its child */}
      <label>
        <span>{t('as_of')}</span>
        <Day value={shown} onChange={(day) => onChange(day === today() ? null : day)} />
      </label>
      <input
        type="range"
        dir="ltr"
        aria-label={t('map.slider')}
        aria-valuetext={shown}
        min={Math.ceil(first)}
        max={last}
        step={1}
        value={moved ?? number(asOf)}
        onInput={(event) => setMoved(Number(event.currentTarget.value))}
      />
      <button type="button" disabled={asOf === today()} onClick={() => onChange(null)}>
        {t('today')}
      </button>
    </div>
  );
}
