import { Dialog } from '../components/dialog';
import { Secret } from '../components/secret';
import { t } from '../i18n';

/** A one-time password, shown once. */
export function OneTime(props: { login: string; password: string; onClose: () => void }) {
  return (
    <Dialog title={t('admin.one_time_title', { login: props.login })} onClose={props.onClose}>
      <p>{t('admin.one_time_lead')}</p>
      <Secret text={props.password} />
    </Dialog>
  );
}
