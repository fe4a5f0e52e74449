import type { Map as MapLibre } from 'maplibre-gl';
import { t } from '../i18n';
import { wake } from './tiles';
import { holesIn } from './view';

/** Says that the map has holes, for as long as it has them. */
export function Missing({ map }: { map: MapLibre | null }) {
  const holes = holesIn(map);
  if (holes === 0) return null;
  return (
    <span class="note bad" role="alert">
      {t('map.missing', { count: holes })}{' '}
      <button type="button" onClick={wake}>
        {t('error.again')}
      </button>
    </span>
  );
}
