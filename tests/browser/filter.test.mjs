// The map's filter: what it says is what is drawn, what is counted, and what the paper says.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { api, close, keep, mapOf, offences, settled } from './support.mjs';

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
