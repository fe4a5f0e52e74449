import type { Feature } from 'geojson';
import type { Map as MapLibre } from 'maplibre-gl';
import { useEffect, useId, useState } from 'preact/hooks';
import { today } from '../clock';
import { GroundKey } from '../components/ground_key';
import { Show } from '../components/states';
import { longDay } from '../format';
import { t } from '../i18n';
import { useLoadedProgramme } from '../programme';
import { hatchPath, hatchWidth, TILE } from '../symbology';
import { Canvas } from './canvas';
import type { Part } from './difference';
import { extentOf } from './extent';
import { Missing } from './missing';
import type { Bounds } from './sources';
import { PARTS } from './style';
import { put } from './view';

/** Outlines laid upon each other, on the ground that the figures count around them. */
export default function Compared({ parts, names }: { parts: Feature[]; names: Part[] }) {
  const loaded = useLoadedProgramme();
  const [map, setMap] = useState<MapLibre | null>(null);
  useEffect(() => {
    if (!map) return;
    put(map, 'compared', { type: 'FeatureCollection', features: parts });
    const extent = wholeOf(parts);
    if (extent) map.fitBounds(extent, { padding: 50, maxZoom: 17, animate: false });
  }, [map, parts]);
  return (
    <figure class="compared">
      <div class="compared-map">
        <Show of={loaded}>
          {({ programme }) => (
            <Canvas
              programme={programme}
              question={{ asOf: today(), basis: 'official', today: today() }}
              onReady={setMap}
            />
          )}
        </Show>
      </div>
      <figcaption>
        <Missing map={map} />
        <ul class="key">
          {names.map((name) => (
            <li key={name}>
              <PartPicture name={name} />
              {t(`part.${name}`)}
            </li>
          ))}
        </ul>
        <p class="muted">{t('map.ground_around', { basis: t('basis.official'), day: longDay(today()) })}</p>
        <GroundKey />
      </figcaption>
    </figure>
  );
}

function PartPicture({ name }: { name: Part }) {
  const { fill, opacity, line, dash, hatch } = PARTS[name];
  const pattern = useId();
  return (
    <svg class="swatch" viewBox="0 0 24 16" aria-hidden="true">
      {hatch && (
        <pattern id={pattern} width={TILE} height={TILE} patternUnits="userSpaceOnUse">
          <rect width={TILE} height={TILE} fill={fill} fill-opacity={opacity} />
          <path d={hatchPath(hatch)} stroke={line} stroke-width={hatchWidth(hatch)} fill="none" />
        </pattern>
      )}
      <rect
        x="1.5"
        y="1.5"
        width="21"
        height="13"
        fill={hatch ? `url(#${pattern})` : fill}
        fill-opacity={hatch ? 1 : opacity}
        stroke={line}
        stroke-width="2"
        stroke-dasharray={dash?.map((length) => length * 1.6).join(' ')}
      />
    </svg>
  );
}

function wholeOf(parts: Feature[]): Bounds | null {
  const boxes = parts.map(({ geometry }) => extentOf(geometry)).filter((box) => box !== null);
  if (boxes.length === 0) return null;
  return [
    Math.min(...boxes.map((box) => box[0])),
    Math.min(...boxes.map((box) => box[1])),
    Math.max(...boxes.map((box) => box[2])),
    Math.max(...boxes.map((box) => box[3])),
  ];
}
