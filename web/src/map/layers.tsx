import { Choice } from '../components/field';
import { Swatch } from '../components/swatch';
import { count } from '../format';
import { t, word } from '../i18n';
import { useOrganisations } from '../organisations';
import { amend } from '../router';
import { may, seesHazards } from '../session';
import { BASES, type Basis, seesGround } from '../standing/model';
import { OUTLINES, RESULTS, type SymbolName } from '../symbology';
import type { Filter } from './filter';
import { Find } from './find';
import { SIGNS, type SignName } from './images';
import type { Seen } from './seen';

/** How many are in view: nothing while that is not known, and "at least" where the map has holes. */
function Count({ seen, holes, of }: { seen: Seen | undefined; holes: number; of: string }) {
  const many = seen?.counts.get(of);
  if (typeof many !== 'number') return <small>…</small>;
  return <small>{holes > 0 ? `≥ ${count(many)}` : count(many)}</small>;
}

const POINTS = ['eo_item', 'accident', 'task'] as const;

/** The legend, which is also where layers are turned off. */
export function Layers(props: {
  seen: Seen | undefined;
  /** Parts of the map that could not be had. */
  holes: number;
  filter: Filter;
  onFilter: (filter: Filter) => void;
  basis: Basis;
}) {
  const { seen, holes, filter, onFilter, basis } = props;
  const organisations = useOrganisations();
  const toggle = (name: string) => {
    const hidden = new Set(filter.hidden);
    if (!hidden.delete(name)) hidden.add(name);
    onFilter({ ...filter, hidden });
  };
  const row = (name: string, label: string, picture: preact.ComponentChildren) => (
    <li key={name}>
      <label>
        <input type="checkbox" checked={!filter.hidden.has(name)} onChange={() => toggle(name)} />
        {picture}
        <span>{label}</span>
        <Count seen={seen} holes={holes} of={name} />
      </label>
    </li>
  );
  const symbols = (names: readonly SymbolName[], vocabulary: string) =>
    names.map((name) => row(name, word(vocabulary, name), <Swatch name={name} />));
  // What the reader does not see is not counted, and is not none.
  const points = POINTS.filter((name) => !seen || seen.counts.has(name));
  return (
    <>
      <Find />
      <h2>{t('map.hazardous')}</h2>
      {!seesHazards() && <p class="note bad">{t('map.no_hazards')}</p>}
      {seesHazards() && (
        <>
          <ul class="legend">
            {symbols(['cha', 'sha'], 'class')}
            {row('hazardous_area', t('map.point_only'), <SignPicture name="hazardous_area" />)}
          </ul>
          <ul class="legend plain">
            <li>
              <Swatch name="contested" />
              <span>{t('contested')}</span>
              <Count seen={seen} holes={holes} of="contested" />
            </li>
            {(Object.keys(OUTLINES) as (keyof typeof OUTLINES)[]).map((name) => (
              <li key={name}>
                <OutlinePicture name={name} />
                <span>{t(`map.outline_${name}`)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <h2>{t('map.released')}</h2>
      {!seesGround(basis) && <p class="muted">{t('map.as_recorded')}</p>}
      <ul class="legend">{symbols(RESULTS, 'result')}</ul>
      {points.length > 0 && (
        <>
          <h2>{t('map.points')}</h2>
          <ul class="legend">
            {points.map((name) => row(name, word('kinds', name), <SignPicture name={name} />))}
          </ul>
        </>
      )}
      <h2>{t('map.filter')}</h2>
      <div class="filters">
        {may('ReadPieces') && (
          <Choice
            label={t('basis')}
            value={basis}
            options={BASES.map((known) => [known, t(`basis.${known}`)])}
            onChange={(next) => amend({ basis: next })}
          />
        )}
        {may('ReadPieces') && !seesGround(basis) && <p class="note">{t('map.records_instead')}</p>}
        <Choice
          label={t('organisation')}
          value={filter.organisation}
          options={[['', t('all')], ...[...organisations].map(([id, name]): [string, string] => [id, name])]}
          onChange={(organisation) => onFilter({ ...filter, organisation })}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={filter.contestedOnly}
            onChange={() => onFilter({ ...filter, contestedOnly: !filter.contestedOnly })}
          />
          {t('map.contested_only')}
        </label>
      </div>
    </>
  );
}

export function SignPicture({ name }: { name: SignName }) {
  const { path, fill, line } = SIGNS[name];
  return (
    <svg class="swatch" viewBox="-2 0 24 20" aria-hidden="true">
      <path d={path} fill={fill} stroke={line} stroke-width="1.2" stroke-linejoin="round" />
    </svg>
  );
}

/** As wide as on the map. */
const OUTLINE = 2.4;

export function OutlinePicture({ name }: { name: keyof typeof OUTLINES }) {
  const { colour, dash, round } = OUTLINES[name];
  return (
    <svg class="swatch" viewBox="0 0 24 16" aria-hidden="true">
      <rect
        x="1.5"
        y="1.5"
        width="21"
        height="13"
        fill="none"
        stroke={colour}
        stroke-width={OUTLINE}
        stroke-linecap={round ? 'round' : undefined}
        stroke-dasharray={dash?.map((length) => length * OUTLINE).join(' ')}
      />
    </svg>
  );
}
