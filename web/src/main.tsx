import './style/base.css';
import './style/shell.css';
import './style/figures.css';
import './style/map.css';
import './style/record.css';
import './style/sheet.css';
import './style/work.css';
import './style/print.css';
import { render } from 'preact';
import { App } from './app';
import { begin } from './i18n';
import { start } from './live';
import { refresh } from './session';

const root = document.getElementById('console');
if (root) {
  root.replaceChildren();
  start();
  // A session that cannot be looked for just now is not one that is over, but somebody must be able to log in.
  const known = refresh().catch(() => null);
  await begin();
  await known;
  render(<App />, root);
}
