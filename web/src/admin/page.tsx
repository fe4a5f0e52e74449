// Administration: people and their tablets, the programme's settings, frozen years.

import { Safety } from '../components/states';
import { t } from '../i18n';
import { may } from '../session';
import { Accounts } from './accounts';
import { FreezeYear } from './freeze';
import { Keys } from './keys';
import { Settings } from './settings';

export default function AdminPage() {
  return (
    <article class="admin-page">
      <header class="head">
        <h1>{t('page.admin')}</h1>
      </header>
      {may('ManageAccounts') && <Accounts />}
      {may('ManageAccounts') && <Keys />}
      {may('SetProgramme') && <Settings />}
      {may('Freeze') && <FreezeYear />}
      <Safety />
    </article>
  );
}
