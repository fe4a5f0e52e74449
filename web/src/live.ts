// Where the server's log stands, as server-sent events tell it. One tab listens for all: a browser opens only six
// connections to a server.

import { batch, effect, signal } from '@preact/signals';
import { createParser } from 'eventsource-parser';
import { ended, session, token } from './session';

/** The log's head; it grows whenever anything has changed. */
export const head = signal(0);
/** Changes whenever there is reason to ask anew: the log has grown, or the reader has just written something. */
export const news = signal(0);
/** Whether news comes in. */
export const connected = signal(false);

const RETRY_MS = [1_000, 3_000, 10_000];
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('cartagena-head') : null;

interface Told {
  head: number;
  connected: boolean;
}

/** What tabs say to each other: the news, or that one wants to know it. */
type Said = Told | 'what news?';

/** The server says something every fifteen seconds. Who has heard nothing for so long hears nothing any more. */
const SILENCE_MS = 40_000;

/** However fast the log grows, pages ask again no more often than this. */
const REST_MS = 1_500;
let newest = 0;
let resting = false;
let due = false;

/** Has pages ask anew. Whoever writes does this too, and need not wait for the server's word of it, which may not come. */
export function stir() {
  due = resting;
  if (resting) return;
  batch(() => {
    head.value = newest;
    news.value += 1;
  });
  resting = true;
  setTimeout(() => {
    resting = false;
    if (due) stir();
  }, REST_MS);
}

function tell(told: Told) {
  connected.value = told.connected;
  if (!told.head || told.head === newest) return;
  newest = told.head;
  stir();
}

function announce(told: Told) {
  tell(told);
  channel?.postMessage(told);
}

/** Whether this is the tab that listens. */
let listens = false;

channel?.addEventListener('message', ({ data }: MessageEvent<Said>) => {
  if (data !== 'what news?') tell(data);
  else if (listens) channel.postMessage({ head: newest, connected: connected.value });
});

/** Stops what has been silent for too long: a connection that is gone often says nothing of it. */
function watchdog(stop: AbortController): () => void {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => stop.abort(), SILENCE_MS);
  };
}

async function listen(stopped: AbortSignal): Promise<void> {
  const known = await token();
  if (!known) return;
  const stop = new AbortController();
  const { signal } = stop;
  stopped.addEventListener('abort', () => stop.abort(), { signal });
  const heard = watchdog(stop);
  heard();
  const answer = await fetch('/v1/events', { headers: { authorization: `Bearer ${known}` }, signal });
  if (!answer.ok || !answer.body) throw new Error(`HTTP ${answer.status}`);
  const parser = createParser({
    onEvent: (event) => {
      if (event.event === 'head') announce({ head: Number(event.data), connected: true });
    },
  });
  const text = new TextDecoder();
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    heard();
    if (done) return stop.abort();
    parser.feed(text.decode(value, { stream: true }));
  }
}

async function keepListening(stop: AbortSignal): Promise<void> {
  listens = true;
  stop.addEventListener('abort', () => {
    listens = false;
  });
  for (let failures = 0; !stop.aborted; ) {
    try {
      await listen(stop);
      failures = 0;
    } catch {
      failures += 1;
    }
    if (stop.aborted) return;
    announce({ head: 0, connected: false });
    const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
    await new Promise((go) => setTimeout(go, wait));
  }
}

/** Listens for as long as somebody is logged in. */
export function start(): void {
  let stop: AbortController | null = null;
  let whose: string | null = null;
  effect(() => {
    const known = ended.value ? null : session.value;
    const account = known && !known.must_change ? known.account : null;
    if (account === whose) return;
    whose = account;
    stop?.abort();
    stop = null;
    if (!account) return;
    stop = new AbortController();
    const stopped = stop.signal;
    const work = () => keepListening(stopped);
    channel?.postMessage('what news?');
    if (navigator.locks)
      navigator.locks.request('cartagena-events', { signal: stopped }, work).catch(() => {});
    else void work();
  });
}
