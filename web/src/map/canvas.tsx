import type { Geometry } from 'geojson';
import type { Map as MapLibre, MapMouseEvent } from 'maplibre-gl';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api';
import { Fault } from '../components/states';
import { t } from '../i18n';
import type { Programme } from '../programme';
import { extentOf } from './extent';
import type { Bounds, Shown } from './sources';
import { CLICKED, NOTHING } from './style';
import { boundsOf, create, put, show } from './view';

interface Props {
  programme: Programme;
  shown: Shown | undefined;
  /** The record that is looked at. */
  chosen?: string | null;
  /** Drawn as finely as printers print. */
  paper?: boolean;
  onReady: (map: MapLibre) => void;
  onMove: (bounds: Bounds) => void;
  onChoose?: (record: string) => void;
}

/** So many pixels beside a thing still mean it: fingers are wide. */
const NEAR = 6;

/** The map itself. It is made once and told what to show. */
export function Canvas(props: Props) {
  const container = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapLibre | null>(null);
  const [fault, setFault] = useState<unknown>();
  const newest = useRef(props);
  newest.current = props;

  useEffect(() => {
    let made: MapLibre;
    try {
      made = create(container.current as HTMLElement, props.programme, props.paper);
    } catch (thrown) {
      setFault(thrown);
      return;
    }
    made.on('load', () => {
      setMap(made);
      newest.current.onReady(made);
      newest.current.onMove(boundsOf(made));
    });
    made.on('moveend', () => newest.current.onMove(boundsOf(made)));
    made.on('click', (event) => {
      const id = recordAt(made, event);
      if (id && !made.getContainer().classList.contains('busy-drawing')) newest.current.onChoose?.(id);
    });
    made.on('mousemove', (event) => {
      made.getCanvas().style.cursor = recordAt(made, event) ? 'pointer' : '';
    });
    return () => made.remove();
  }, []);

  useEffect(() => {
    if (map && props.shown) show(map, props.shown);
  }, [map, props.shown]);
  useChosen(map, props.chosen ?? null);

  if (fault !== undefined) return <Fault fault={new Error(t('map.no_webgl'))} />;
  return <div ref={container} class="map-canvas" />;
}

function recordAt(map: MapLibre, { point }: MapMouseEvent): string | null {
  const layers = CLICKED.filter((layer) => map.getLayer(layer));
  const found = map.queryRenderedFeatures(
    [
      [point.x - NEAR, point.y - NEAR],
      [point.x + NEAR, point.y + NEAR],
    ],
    { layers },
  );
  return found[0]?.properties.record ?? null;
}

/** Marks the record that is looked at, and goes there when it was found elsewhere. */
function useChosen(map: MapLibre | null, chosen: string | null) {
  useEffect(() => {
    if (!map) return;
    put(map, 'chosen', NOTHING);
    if (!chosen) return;
    let over = false;
    api.get<{ geometry: Geometry | null }>(`/v1/records/${chosen}`).then(
      ({ geometry }) => {
        if (over || !geometry) return;
        put(map, 'chosen', {
          type: 'FeatureCollection',
          features: [{ type: 'Feature', properties: {}, geometry }],
        });
        goTo(map, geometry);
      },
      () => {},
    );
    return () => {
      over = true;
    };
  }, [map, chosen]);
}

function goTo(map: MapLibre, geometry: Geometry) {
  const extent = extentOf(geometry);
  if (!extent) return;
  const view = map.getBounds();
  const inView = view.contains([extent[0], extent[1]]) && view.contains([extent[2], extent[3]]);
  // What can be seen and told from its neighbours stays where it is.
  if (inView && map.getZoom() >= 12) return;
  map.fitBounds(extent, {
    padding: 120,
    maxZoom: 15,
    animate: !matchMedia('(prefers-reduced-motion: reduce)').matches,
  });
}
