// Where a record is, in the form of coordinates that the reader works with: for radios, receivers and orders.

import type { Position as Coordinates, Geometry } from 'geojson';
import { Copy } from '../components/copy';
import { t } from '../i18n';
import { write } from '../map/coordinates';
import { extentOf } from '../map/extent';
import { storedFormat } from '../map/readout';
import { cornersOf } from '../map/ring';

/** The lines of a geometry: rings without the corner that closes them. */
export function linesOf(geometry: Geometry): Coordinates[][] {
  switch (geometry.type) {
    case 'Point':
      return [[geometry.coordinates]];
    case 'MultiPoint':
    case 'LineString':
      return [geometry.coordinates];
    case 'MultiLineString':
      return geometry.coordinates;
    case 'Polygon':
      return geometry.coordinates.map(cornersOf);
    case 'MultiPolygon':
      return geometry.coordinates.flat().map(cornersOf);
    default:
      return geometry.geometries.flatMap(linesOf);
  }
}

/** The record's place, to be read out or copied; of an outline also every corner. */
export function Position({ geometry }: { geometry: Geometry | null }) {
  const extent = geometry && extentOf(geometry);
  if (!geometry || !extent) return null;
  const format = storedFormat();
  const written = ([lon = 0, lat = 0]: Coordinates) => write(lon, lat, format);
  const lines = linesOf(geometry).map((line) => line.map(written));
  const corners = lines.flat().length;
  const middle = written([(extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2]);
  return (
    <section class="position">
      <h3>{t(corners === 1 ? 'position.title' : 'position.middle')}</h3>
      <p class="place">
        <span dir="ltr">{middle}</span> <Copy text={middle} />
      </p>
      {corners > 1 && (
        <details>
          <summary>{t('position.corners', { count: corners })}</summary>
          <Corners lines={lines} />
        </details>
      )}
    </section>
  );
}

/** One a line, as they can be typed in again; parts and holes stand apart. */
function Corners({ lines }: { lines: string[][] }) {
  const text = lines.map((line) => line.join('\n')).join('\n\n');
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <pre class="code-text" dir="ltr" tabIndex={0}>
        {text}
      </pre>
      <p class="place">
        <Copy text={text} label={t('position.copy_corners')} />
      </p>
    </>
  );
}
