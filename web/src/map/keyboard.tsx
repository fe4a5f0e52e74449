// The map without a pointer: a cross in its middle, under which Enter does what a click does.

import { type Map as MapLibre, MapMouseEvent } from 'maplibre-gl';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';

/** Arrow keys move by a good part of the map; with Shift they bring a thing under the cross, pixel by pixel nearly. */
const FINE = 8;

const ARROWS: Record<string, [right: number, down: number]> = {
  ArrowLeft: [-FINE, 0],
  ArrowRight: [FINE, 0],
  ArrowUp: [0, -FINE],
  ArrowDown: [0, FINE],
};

/** A click in the middle, for whoever takes the map's clicks: choosing, measuring, drawing a new record. */
function clickMiddle(map: MapLibre) {
  const { left, top, width, height } = map.getCanvas().getBoundingClientRect();
  const middle = { clientX: left + width / 2, clientY: top + height / 2 };
  map.fire(new MapMouseEvent('click', map, new MouseEvent('click', middle)));
}

export function Keyboard({ map }: { map: MapLibre }) {
  const [used, setUsed] = useState(false);
  useEffect(() => {
    const canvas = map.getCanvas();
    const press = (event: KeyboardEvent) => {
      if (event.target !== canvas) return;
      setUsed(true);
      const step = event.shiftKey ? ARROWS[event.key] : undefined;
      if (step) map.panBy(step, { animate: false });
      else if (event.key === 'Enter') clickMiddle(map);
      else return;
      // The map has turning on Shift and the arrows, which is off.
      event.preventDefault();
      event.stopPropagation();
    };
    const come = () => setUsed(canvas.matches(':focus-visible'));
    const leave = () => setUsed(false);
    const container = map.getContainer();
    container.addEventListener('keydown', press, { capture: true });
    container.addEventListener('pointerdown', leave);
    canvas.addEventListener('focus', come);
    canvas.addEventListener('blur', leave);
    return () => {
      container.removeEventListener('keydown', press, { capture: true });
      container.removeEventListener('pointerdown', leave);
      canvas.removeEventListener('focus', come);
      canvas.removeEventListener('blur', leave);
    };
  }, [map]);
  useEffect(() => {
    const { classList } = map.getContainer();
    classList.toggle('by-keyboard', used);
    return () => classList.remove('by-keyboard');
  }, [map, used]);
  return (
    <p class="map-keys" role="status">
      {used && t('map.keys')}
    </p>
  );
}
