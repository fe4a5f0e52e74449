import { short } from '../format';
import { word } from '../i18n';
import { RecordLink } from '../record/name';
import type { Quarantined } from './edit';

/** Which record an edit is about, and who sent it, where that is known. */
export function NamedEdit({ edit, sender }: { edit: Quarantined; sender: string | undefined }) {
  // What was to be made is not there.
  const isNew = edit.mutation.op === 'create';
  return (
    <>
      {word('kind', edit.kind)}{' '}
      {isNew ? <bdi>{short(edit.record_id)}</bdi> : <RecordLink id={edit.record_id} />}
      {sender && (
        <>
          {' · '}
          <bdi>{sender}</bdi>
        </>
      )}
    </>
  );
}
