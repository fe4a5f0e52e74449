// The map's filter: what it says is what is drawn, what is counted, and what the paper says.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { api, close, goTo, keep, mapOf, offences, SERVER, settled, tokenOf } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

const GROUND = ['Confirmed hazardous area (CHA)', 'Suspected hazardous area (SHA)', 'Area known by a point', 'Cleared'];
const POINTS = ['EO finds', 'Accidents', 'Tasks under way'];

/** What the legend counts. */
async function counts(page) {
  await settled(page);
  await page.waitForTimeout(1200);
  await settled(page);
  const said = await page.locator('.legend li:has(small)').evaluateAll((rows) =>
    rows.map((row) => [row.querySelector('span').textContent, Number(row.querySelector('small').textContent.replace(/\D/g, ''))]),
  );
  return Object.fromEntries(said);
}

test('an organisation’s map shows what is its own, points too, and counts that', async () => {
  const page = await mapOf('authority-im');
  const whole = await counts(page);
  const sum = {};
  for (const { id } of await api('authority-im', '/v1/organisations')) {
    await page.locator('.filters select').last().selectOption(id);
    for (const [label, count] of Object.entries(await counts(page))) sum[label] = (sum[label] ?? 0) + count;
  }
  for (const label of [...GROUND, 'EO finds', 'Accidents', 'Contested']) {
    assert.ok(whole[label] > 0, label);
    assert.equal(sum[label], whole[label], `${label}: every one is somebody’s`);
  }
  const operator = (await api('authority-im', '/v1/organisations')).find(({ kind }) => kind === 'operator');
  await page.locator('.filters select').last().selectOption(operator.id);
  const own = await counts(page);
  for (const label of [...GROUND, ...POINTS]) assert.ok(own[label] < whole[label], `${label}: ${own[label]}`);
  assert.ok(own['Tasks under way'] > 0, 'tasks are those of whoever works on them');
  await keep(page, 'map-organisation');
});

test('what is contested is all that is drawn and counted', async () => {
  const page = await mapOf('authority-im');
  const { Contested: contested } = await counts(page);
  await page.getByLabel('Only what is contested').check();
  const found = await counts(page);
  assert.equal(found.Contested, contested);
  const [confirmed, suspected] = GROUND;
  assert.equal(found[confirmed] + found[suspected], contested);
  for (const label of [...POINTS, 'Cleared']) assert.equal(found[label], 0, label);
});

test('what a reader does not see is not counted as none', async () => {
  const page = await mapOf('observer');
  const seen = await counts(page);
  assert.ok(seen.Cleared > 0);
  for (const label of POINTS) assert.equal(label in seen, false, label);
});

test('a task at an area that is known by a point is counted', async () => {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1000');
  const known = features.find(({ geometry }) => geometry?.type === 'Point');
  const page = await mapOf('authority-im');
  await goTo(page, '/map?basis=provisional');
  const before = (await counts(page))['Tasks under way'];
  const made = await fetch(`${SERVER}/ogc/collections/task/items`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenOf('authority-director')}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      type: 'Feature',
      id: crypto.randomUUID(),
      geometry: null,
      properties: {
        order_number: 'TO-POINT-1',
        activity: 'clearance',
        status: 'in_progress',
        start_date: '2026-01-02',
        hazardous_area_ids: [known.id],
      },
    }),
  });
  assert.ok(made.ok, await made.text());
  await page.reload();
  assert.equal((await counts(page))['Tasks under way'], before + 1);
});

test('the paper says what was left out', async () => {
  const page = await mapOf('authority-im');
  const [{ id, name }] = await api('authority-im', '/v1/organisations');
  await page.locator('.filters select').last().selectOption(id);
  await page.locator('.legend label', { hasText: 'EO finds' }).click();
  await page.locator('.legend label', { hasText: 'Cancelled' }).click();
  await settled(page);
  await page.click('.map-tools button:has-text("Print")');
  await page.waitForSelector('.sheet[aria-busy=false] .sheet-legend');
  const sheet = page.locator('.sheet');
  await sheet.getByText('Not everything is drawn.').waitFor();
  assert.ok((await sheet.textContent()).includes(`Only of ${name}`));
  assert.match(await sheet.textContent(), /Without: EO finds and Cancelled/);
  assert.equal(await sheet.locator('.sheet-legend').getByText('Cancelled').count(), 0);
  await page.waitForTimeout(1500);
  await keep(page, 'map-sheet-filtered');
});
