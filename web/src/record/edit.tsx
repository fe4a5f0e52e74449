// A record's fields, changed in the office.

import { useState } from 'preact/hooks';
import { api } from '../api';
import { Act } from '../components/act';
import { Show } from '../components/states';
import { useWrongFocused } from '../components/wrong';
import { Fields } from '../create/form';
import { groundOf, isWhole, Places } from '../create/ground';
import { FEWEST, geometryOf } from '../create/model';
import { t } from '../i18n';
import { useLoad } from '../load';
import { wrongFields } from '../problem';
import { useProgramme } from '../programme';
import { changesOf } from './changes';
import { loadSchema, nameOf, type RecordFeature, type Schema } from './model';

interface Props {
  /** As it stood when it was opened: what has changed since is not overwritten. */
  record: RecordFeature;
  onDone: () => void;
  onClose: () => void;
}

export default function EditRecord(props: Props) {
  const schema = useLoad(`schema ${props.record.kind}`, () => loadSchema(props.record.kind), false);
  return <Show of={schema}>{(known) => <Form {...props} schema={known} />}</Show>;
}

function Form({ record, schema, onDone, onClose }: Props & { schema: Schema }) {
  const [values, setValues] = useState(record.properties);
  const [stood] = useState(() => groundOf(record.geometry));
  const [ground, setGround] = useState(stood);
  const [fault, setFault] = useState<unknown>();
  const extent = useProgramme()?.programme.extent;
  const wrong = wrongFields(fault);
  const fields = useWrongFocused<HTMLDivElement>(wrong);
  const changes = changesOf(schema, record.properties, values);
  if (ground && ground.text !== stood?.text) {
    changes.geometry = { to: geometryOf(ground.shape, ground.places) };
  }
  const isChanged = Object.keys(changes).length > 0;
  const save = async (reason: string) => {
    if (!isChanged) throw new Error(t('record.nothing_changed'));
    if (ground?.shape && !isWhole(ground)) {
      throw new Error(t('create.unfinished_required', { count: FEWEST[ground.shape] }));
    }
    try {
      await api.patch(
        `/v1/records/${record.id}`,
        { changes, reason: reason || null },
        { headers: { 'if-match': `"${record.version}"` } },
      );
    } catch (thrown) {
      setFault(thrown);
      throw thrown;
    }
  };
  return (
    <Act
      title={t('record.edit_title', { name: nameOf(record) })}
      submit={t('admin.save')}
      reason="optional"
      form
      changed={isChanged}
      act={save}
      onDone={onDone}
      onClose={onClose}
    >
      <p class="muted">{t('record.edit_hint')}</p>
      {ground && (
        <fieldset>
          <legend>{t('create.place')}</legend>
          <Places ground={ground} extent={extent} onChange={(change) => setGround(change(ground))} />
          {wrong.has('geometry') && (
            <p class="wrong" lang="en" dir="ltr">
              {wrong.get('geometry')}
            </p>
          )}
        </fieldset>
      )}
      <div ref={fields} class="act">
        <Fields schema={schema} values={values} wrong={wrong} onChange={setValues} />
      </div>
    </Act>
  );
}
