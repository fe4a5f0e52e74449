// The frame of every page: who is logged in, where they may go, whether news comes in.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { api } from './api';
import { Busy, Fault, words } from './components/states';
import { Patterns } from './components/swatch';
import { count } from './format';
import { type Key, LANGUAGES, language, speak, t, word } from './i18n';
import { connected } from './live';
import { useLoad } from './load';
import { LogIn, LogInAgain, NewPassword } from './login';
import { href, place } from './router';
import { ended, logOut, may, session } from './session';
import { StandingPage } from './standing/page';
import { mayLeave } from './unsaved';

interface Page {
  name: string;
  title: Key;
  /** One of these permissions opens it. */
  needs: string[];
  /** Reached from the reader's own name, not from the list of pages. */
  own?: boolean;
  /** The whole window, without margins. */
  full?: boolean;
  load: () => Promise<ComponentType>;
}

const PAGES: Page[] = [
  { name: 'standing', title: 'page.standing', needs: ['ReadLedger'], load: async () => StandingPage },
  {
    name: 'map',
    title: 'page.map',
    needs: ['ReadRecords'],
    full: true,
    load: async () => (await import('./map/page')).default,
  },
  {
    name: 'review',
    title: 'page.review',
    needs: ['Review'],
    load: async () => (await import('./review/page')).default,
  },
  {
    name: 'conflicts',
    title: 'page.conflicts',
    needs: ['ReadConflicts'],
    load: async () => (await import('./conflicts/page')).default,
  },
  {
    name: 'field',
    title: 'page.field',
    needs: ['ReadAlarms'],
    load: async () => (await import('./field/page')).default,
  },
  {
    name: 'admin',
    title: 'page.admin',
    needs: ['ManageAccounts', 'SetProgramme', 'Freeze'],
    load: async () => (await import('./admin/page')).default,
  },
  {
    name: 'keys',
    title: 'page.keys',
    needs: ['HaveMapPasswords'],
    own: true,
    load: async () => (await import('./keys/page')).default,
  },
];

function pages(): Page[] {
  return PAGES.filter((page) => page.needs.some(may));
}

export function App() {
  if (!session.value) return <LogIn />;
  if (session.value.must_change) return <NewPassword />;
  const open = pages();
  const page = open.find((known) => known.name === place.value.page) ?? open[0];
  return (
    <div class="console">
      <Patterns />
      <button type="button" class="skip" onClick={skip}>
        {t('skip')}
      </button>
      <Bar pages={open} here={page} />
      {ended.value && <LogInAgain login={session.value.login} />}
      <main id="main" tabIndex={-1} class={page?.full ? 'full' : undefined}>
        {page ? <Body key={page.name} page={page} /> : <p class="empty">{t('nothing_for_role')}</p>}
      </main>
    </div>
  );
}

function skip() {
  document.getElementById('main')?.focus();
}

function Body({ page }: { page: Page }) {
  const [content, setContent] = useState<ComponentType | null>(null);
  const [fault, setFault] = useState<unknown>();
  useEffect(() => {
    document.title = `${t(page.title)} – Cartagena`;
  }, [page, language.value]);
  useEffect(() => {
    page.load().then((loaded) => setContent(() => loaded), setFault);
  }, [page]);
  if (fault !== undefined) return <Fault fault={fault} again={() => location.reload()} />;
  const Content = content;
  return Content ? <Content /> : <Busy />;
}

function Bar({ pages: open, here }: { pages: Page[]; here: Page | undefined }) {
  const waiting = useLoad('waiting', loadWaiting);
  return (
    <header class="bar">
      <a class="mark" href={href(open[0]?.name ?? '')} aria-label="Cartagena">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M7 22 16 7l9 15z" />
          <path class="ground" d="M11 27h10" />
        </svg>
        <span>Cartagena</span>
      </a>
      <nav aria-label={t('pages')}>
        {open
          .filter(({ own }) => !own)
          .map((page) => (
            <a key={page.name} href={href(page.name)} aria-current={page === here ? 'page' : undefined}>
              {t(page.title)}
              <Waiting many={waiting.data?.[page.name]} />
            </a>
          ))}
      </nav>
      <Live />
      <Languages />
      <Who />
    </header>
  );
}

/** How much waits for the reader, by the pages that it waits on. */
type WaitingOn = Partial<Record<string, number | null>>;

async function loadWaiting(signal: AbortSignal): Promise<WaitingOn> {
  const { alarms, ...rest } = await api.get<WaitingOn>('/v1/waiting', { signal });
  return { ...rest, field: alarms };
}

function Waiting({ many }: { many: number | null | undefined }) {
  if (!many) return null;
  return (
    <span class="count">
      {count(many)}
      <span class="unseen"> {t('waiting')}</span>
    </span>
  );
}

function Live() {
  const words = t(connected.value ? 'live.on' : 'live.off');
  return (
    <span class={connected.value ? 'live on' : 'live'} role="status" title={words}>
      <span class="dot" aria-hidden="true" />
      <span class="words">{words}</span>
    </span>
  );
}

export function Languages() {
  return (
    <select
      class="languages"
      aria-label={t('language')}
      value={language.value.code}
      onChange={(event) => speak(event.currentTarget.value)}
    >
      {LANGUAGES.map((known) => (
        <option key={known.code} value={known.code} lang={known.code}>
          {known.name}
        </option>
      ))}
    </select>
  );
}

function Who() {
  const known = session.value;
  const [fault, setFault] = useState<unknown>();
  if (!known) return null;
  return (
    <div class="who">
      <span class="person" dir="auto">
        {known.name}
        <small>{word('role', known.role)}</small>
      </span>
      {may('HaveMapPasswords') && <Keys />}
      <button type="button" class="quiet" onClick={() => mayLeave() && logOut().catch(setFault)}>
        {t('log_out')}
      </button>
      {fault !== undefined && (
        <span class="badge bad" role="alert">
          {words(fault)}
        </span>
      )}
    </div>
  );
}

/** The way to one's own map passwords; only its sign where the bar is narrow. */
function Keys() {
  const here = place.value.page === 'keys' ? 'page' : undefined;
  return (
    <a
      class="keys"
      href={href('keys')}
      aria-current={here}
      aria-label={t('page.keys')}
      title={t('page.keys')}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="7.5" cy="12" r="4" />
        <path d="M11.5 12H21v4m-4-4v3" />
      </svg>
      <span>{t('page.keys')}</span>
    </a>
  );
}
