// What the records are called that others name by their ids.

import { short } from '../format';
import { useLoad } from '../load';
import { href, type Parameters } from '../router';
import { loadRecord, nameOf } from './model';

/** Names that are asked for at once: the page's own requests come through beside them. */
const AT_ONCE = 4;

const names = new Map<string, Promise<string>>();
const waiting: (() => void)[] = [];
let asked = 0;

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (asked >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
  else asked += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else asked -= 1;
  }
}

function loadName(id: string): Promise<string> {
  let known = names.get(id);
  if (!known) {
    known = inTurn(() => loadRecord(id)).then(nameOf);
    known.catch(() => names.delete(id));
    names.set(id, known);
  }
  return known;
}

/** A record by its name; by the end of its id until that is known, and where its reader does not see it. */
export function RecordName({ id }: { id: string }) {
  const name = useLoad(`name ${id}`, () => loadName(id), false);
  return <bdi>{name.data ?? short(id)}</bdi>;
}

/** The same as the way to it on the map; its name need not be asked for where it came along. */
export function RecordLink({ id, name, when }: { id: string; name?: string | null; when?: Parameters }) {
  return (
    <a href={href('map', { record: id, ...when })}>{name ? <bdi>{name}</bdi> : <RecordName id={id} />}</a>
  );
}
