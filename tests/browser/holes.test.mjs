// What a map does where a part of it cannot be had: a hole looks like ground without mines.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { accessible, api, close, goTo, keep, logIn, offences, open, pageOf, settled } from './support.mjs';
import { enrol, push } from './tablet.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

/** How many of a symbol the legend counts. */
async function counted(page, label) {
  const row = page.locator('.legend li', { hasText: label }).first();
  return Number((await row.locator('small').textContent()).replace(/\D/g, ''));
}

test('a map with holes says so for as long as it has them', async () => {
  const page = await pageOf('authority-im');
  let asked = 0;
  await page.route('**/tiles/**', (route) => {
    asked += 1;
    return route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"detail":"busy"}' });
  });
  await page.evaluate(() => {
    location.hash = '/map';
  });
  const warning = page.locator('.map-notes [role=alert]', { hasText: 'there may be mines' });
  await warning.waitFor();
  assert.ok(asked >= 2, 'each is asked for again before it is said to be missing');
  // It does not go away by itself, nor by another day, nor by news.
  await page.waitForTimeout(1_500);
  assert.equal(await warning.count(), 1);
  await page.getByLabel('Basis').selectOption('provisional');
  await push(await enrol('hima-surveyor-1', 'A tablet with news'), 'survey', {
    survey_type: 'non_technical_survey',
    start_date: '2026-01-02',
  });
  await page.waitForTimeout(3_000);
  assert.equal(await warning.count(), 1);
  await accessible(page, 'a map with holes');
  await keep(page, 'map-holes');
  await page.unroute('**/tiles/**');
  await warning.getByRole('button').click();
  await warning.waitFor({ state: 'detached' });
  await settled(page);
  assert.ok((await counted(page, 'Confirmed hazardous')) > 0);
  assert.equal(await warning.count(), 0);
});

test('the ground around what is reviewed says so, too', async () => {
  const page = await pageOf('authority-im');
  await page.route('**/tiles/**', (route) => route.fulfill({ status: 503, body: '' }));
  await page.evaluate(() => {
    location.hash = '/review';
  });
  const warning = page.locator('.compared [role=alert]', { hasText: 'there may be mines' });
  await warning.waitFor();
  await page.unroute('**/tiles/**');
  await warning.getByRole('button').click();
  await warning.waitFor({ state: 'detached' });
});

test('a tile that comes late is of the day that the map shows by then', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/map');
  await page.waitForSelector('.maplibregl-canvas');
  await settled(page);
  const today = await counted(page, 'Cleared');
  assert.ok(today > 0);
  // Every tile of the first day is still on its way when the second is asked for.
  let release;
  const held = new Promise((go) => {
    release = go;
  });
  await page.route('**/tiles/**as_of=2018-01-01**', async (route) => {
    await held;
    await route.continue();
  });
  const day = page.locator('.map-middle input[type=date]');
  await day.fill('2018-01-01');
  await page.waitForTimeout(1_000);
  await day.fill(new Date().toISOString().slice(0, 10));
  await page.waitForTimeout(500);
  release();
  await settled(page);
  assert.equal(await counted(page, 'Cleared'), today);
});

test('what comes at the second attempt is no hole', async () => {
  const page = await pageOf('authority-im');
  const failed = new Set();
  await page.route('**/tiles/**', (route) => {
    const url = route.request().url();
    if (failed.has(url)) return route.continue();
    failed.add(url);
    return route.abort();
  });
  await goTo(page, '/map');
  await page.waitForSelector('.maplibregl-canvas');
  await settled(page);
  assert.ok(failed.size > 0);
  assert.equal(await page.locator('.map-notes [role=alert]').count(), 0);
});

test('a map that lacks the programme’s settings says so, and can be asked for again', async () => {
  const { features } = await api('authority-im', '/v1/review/queue');
  const [outlined] = features.filter(({ geometry }) => geometry);
  const page = await open();
  const away = (route) => route.fulfill({ status: 503, body: '' });
  await page.route('**/v1/programme', away);
  // News has it asked for again, too, which is not what is looked at here.
  await page.route('**/v1/events', (route) => route.abort());
  await logIn(page, 'authority-im');
  await page.evaluate((id) => {
    location.hash = `/review?record=${id}`;
  }, outlined.id);
  const compared = page.locator('.compared');
  await compared.locator('[role=alert]').waitFor();
  await page.unroute('**/v1/programme', away);
  await compared.getByRole('button', { name: 'Try again' }).click();
  await compared.locator('.maplibregl-canvas').waitFor();
});

test('a map that lacks its list of layers can be asked for again', async () => {
  const page = await open();
  const away = (route) => route.fulfill({ status: 503, body: '' });
  await page.route('**/ogc/collections', away);
  await page.route('**/v1/events', (route) => route.abort());
  await logIn(page, 'authority-im');
  await page.evaluate(() => {
    location.hash = '/map';
  });
  const again = page.locator('.map-middle .fault').getByRole('button', { name: 'Try again' });
  await again.waitFor();
  await page.unroute('**/ogc/collections', away);
  await again.click();
  await page.locator('.maplibregl-canvas').waitFor();
});

test('fields whose schema could not be had can be asked for again', async () => {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=50');
  const hazard = features.find(({ contested }) => !contested);
  const page = await open();
  const away = (route) => route.fulfill({ status: 503, body: '' });
  await page.route('**/v1/schemas/hazardous_area', away);
  await page.route('**/v1/events', (route) => route.abort());
  await logIn(page, 'authority-im');
  await goTo(page, `/map?record=${hazard.id}`);
  const panel = page.locator('.side.record');
  await panel.getByRole('button', { name: 'Edit', exact: true }).click();
  const again = panel.locator('.actions .fault').getByRole('button', { name: 'Try again' });
  await again.waitFor();
  await page.unroute('**/v1/schemas/hazardous_area', away);
  await again.click();
  await page.locator('dialog').getByText('More fields').waitFor();
});
