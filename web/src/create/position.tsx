// A place in a field, written as people write it.

import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { isWithin, read, write } from '../map/coordinates';
import { useProgramme } from '../programme';
import { type Control, Labelled } from './labelled';

/** Longitude, latitude and perhaps a height. */
type Position = [number, number, number?];

const written = ([lon, lat]: Position) => write(lon, lat, 'dd');

export function PositionControl(control: Control) {
  const [stood] = useState(control.value as Position | null | undefined);
  const [text, setText] = useState(() => (stood ? written(stood) : ''));
  const extent = useProgramme()?.programme.extent;
  const known = control.value as Position | null | undefined;
  const far = known && !isWithin([known[0], known[1]], extent);
  const type = (given: string) => {
    setText(given);
    const place = read(given, extent);
    if (given.trim() === '') control.onChange(undefined);
    // Written again as it was, it is what it was: to the last digit, and with its height.
    else if (place) control.onChange(stood && written(stood) === written(place) ? stood : place);
  };
  const isUnread = text.trim() !== '' && text !== (stood && written(stood)) && !read(text, extent);
  return (
    <>
      <Labelled
        unread={isUnread ? t('create.no_position') : ''}
        control={{
          ...control,
          // A schema names its order of numbers; people write theirs.
          label: control.label.replace(/[,،].*$/, ''),
          hint: t('create.place_hint'),
        }}
      >
        {(about) => (
          <input
            {...about}
            dir="ltr"
            value={text}
            onInput={({ currentTarget }) => type(currentTarget.value)}
          />
        )}
      </Labelled>
      {far && (
        <p class="note bad" role="status">
          {t('create.outside')}
        </p>
      )}
    </>
  );
}
