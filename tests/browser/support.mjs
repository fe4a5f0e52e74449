// A real browser against the compiled server: Debian's Chromium, which may ask nobody but that server.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export const jsQR = require('jsqr');

/** The server and everybody's password, from the program that started it. */
export const SERVER = process.env.CONSOLE_URL;
export const PASSWORD = process.env.CONSOLE_PASSWORD;
assert.ok(SERVER && PASSWORD, 'these tests are started by `cargo test --test it browser`');

/** What was seen, to be looked at by people. */
const SEEN = new URL('seen/', import.meta.url).pathname;
/** Pictures of the README, where they are to be made anew. */
const PICTURES = process.env.PICTURES;
mkdirSync(SEEN, { recursive: true });

/** How long anything that must come to pass is waited for; only a failure takes so long. */
export const PATIENCE = 60_000;

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: FLAGS,
});

/** Ends the browser. Live pages ask until then, and an answer that a test is changing in that moment would be nobody's. */
export async function close() {
  const pages = browser.contexts().flatMap((context) => context.pages());
  await Promise.all(pages.map((page) => page.unrouteAll({ behavior: 'ignoreErrors' })));
  await browser.close();
}

/** Everything that any page did and must not do: ask another machine, break the policy, fail in a script. */
export const offences = [];

export async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1366, height: 860 }, locale: 'en-GB', ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  watch(page);
  return page;
}

/** Requests that a page waits for; the stream of news never ends. */
const pending = new WeakMap();

/** Watches what a page does. */
export function watch(page) {
  const waiting = new Set();
  pending.set(page, waiting);
  page.on('request', (request) => request.url().endsWith('/v1/events') || waiting.add(request));
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => waiting.delete(request));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(SERVER) && !url.startsWith('blob:') && !url.startsWith('data:')) offences.push(`asked ${url}`);
  });
  page.on('pageerror', (fault) => offences.push(`failed: ${fault.message}`));
  page.on('console', (message) => {
    const text = message.text();
    if (/Content Security Policy/i.test(text)) offences.push(`policy: ${text}`);
  });
}

export async function logIn(page, login, password = PASSWORD) {
  await page.goto(SERVER);
  await page.fill('input[name=login]', login);
  await page.fill('input[name=password]', password);
  await page.click('button[type=submit]');
  await page.waitForSelector('.bar');
}

/** A page of somebody who is logged in. */
export async function pageOf(login, options) {
  const page = await open(options);
  await logIn(page, login);
  return page;
}

export async function goTo(page, place) {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, place);
  await settled(page);
}

/** A map of somebody who is logged in, all drawn. */
export async function mapOf(login) {
  const page = await pageOf(login);
  await goTo(page, '/map');
  await page.waitForSelector('.maplibregl-canvas');
  await settled(page);
  return page;
}

/** Waits until nothing is being loaded, and what moves has come to rest. */
export async function settled(page) {
  const until = Date.now() + PATIENCE;
  for (let calm = 0; calm < 5; ) {
    assert.ok(Date.now() < until, 'the page does not come to rest');
    await page.waitForTimeout(80);
    const busy = await page.locator('.busy, .map-notes .loading').count();
    calm = busy === 0 && pending.get(page).size === 0 ? calm + 1 : 0;
  }
}

/** An access token beside the browser. */
export async function tokenOf(login) {
  const answer = await fetch(`${SERVER}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password: PASSWORD }),
  });
  return (await answer.json()).access_token;
}

/** Asks the API beside the browser, as somebody. */
export async function api(login, path) {
  const authorization = `Bearer ${await tokenOf(login)}`;
  const told = await fetch(`${SERVER}${path}`, { headers: { authorization } });
  assert.equal(told.status, 200, `${path} as ${login}`);
  return told.json();
}

/** Keeps what a page looks like. */
export async function keep(page, name, { whole = false } = {}) {
  if (whole) {
    // The page scrolls within its window.
    const [width, height] = await page.evaluate(() => {
      const main = document.querySelector('main');
      return [innerWidth, innerHeight + main.scrollHeight - main.clientHeight];
    });
    await page.setViewportSize({ width, height });
  }
  await page.screenshot({ path: join(SEEN, `${name}.png`) });
}

/** Keeps a picture for the README, small. */
export async function picture(page, name) {
  await keep(page, name);
  if (!PICTURES) return;
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 82 });
  writeFileSync(join(PICTURES, `${name}.webp`), Buffer.from(data, 'base64'));
}

export function keepBytes(name, bytes) {
  writeFileSync(join(SEEN, name), bytes);
}

/** Fails on anything serious that axe finds. Run from outside the page: its policy lets no script of ours in. */
export async function accessible(page, name) {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { resultTypes: ['violations'] }).then((found) => JSON.stringify(
      found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => [id, nodes.map((node) => node.html + ' ' + node.failureSummary).slice(0, 4)])))`,
    awaitPromise: true,
    returnByValue: true,
  });
  assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
  assert.deepEqual(JSON.parse(result.value), [], `${name}: what axe finds serious`);
}

/** Fails where a page is wider than its window. */
export async function fits(page, name) {
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${name} is ${wide} px wide in a window of ${window}`);
}
