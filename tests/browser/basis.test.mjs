// On which basis a map stands: the ledger's ground where it is open to the reader, else the records that are theirs to see.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { api, close, mapOf, offences, settled } from './support.mjs';
import { enrol, push } from './tablet.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

const SUSPECTED = 'Suspected hazardous area (SHA)';

async function inLegend(page, label) {
  await settled(page);
  await page.waitForTimeout(1200);
  await settled(page);
  const row = page.locator('.legend li', { has: page.getByText(label, { exact: true }) });
  return Number((await row.locator('small').textContent()).replace(/\D/g, ''));
}

test('a surveyor sees what they have drawn before anybody has approved it', async () => {
  const page = await mapOf('tern-surveyor-1');
  const before = await inLegend(page, SUSPECTED);
  const { extent } = await api('authority-im', '/v1/programme');
  const [lon, lat] = [(extent.west + extent.east) / 2, (extent.south + extent.north) / 2];
  const ring = [[lon, lat], [lon + 0.001, lat], [lon + 0.001, lat + 0.001], [lon, lat]];
  const { outcome } = await push(await enrol('tern-surveyor-1', 'Mapping tablet'), 'hazardous_area', {
    classification: 'SHA',
    status: 'open',
    contamination: ['ap_mine'],
    date_identified: '2026-01-02',
    geometry: { type: 'Polygon', coordinates: [ring] },
  });
  assert.equal(outcome, 'applied');
  await page.reload();
  await page.waitForSelector('.maplibregl-canvas');
  assert.equal(await inLegend(page, SUSPECTED), before + 1);
});

test('whoever does not see all drafts is shown records in the place of provisional ground', async () => {
  const page = await mapOf('tern-supervisor');
  const tiles = [];
  page.on('request', (request) => request.url().includes('/tiles/') && tiles.push(request.url()));
  await page.getByLabel('Basis').selectOption('provisional');
  await page.getByText('these are the records that you may see').waitFor();
  assert.ok((await inLegend(page, SUSPECTED)) > 0);
  const provisional = tiles.filter((tile) => tile.includes('basis=provisional'));
  assert.ok(provisional.length > 0 && provisional.every((tile) => !/remaining|released/.test(tile)), provisional[0]);
  const { features } = await api('tern-supervisor', '/v1/records?kind=hazardous_area&limit=1');
  await page.evaluate((id) => {
    location.hash = `/map?basis=provisional&record=${id}`;
  }, features[0].id);
  await page.locator('.side.record .history li').first().waitFor();
  assert.equal(await page.locator('.side.record .ground').count(), 0, 'no pieces of drafts');
  await page.evaluate(() => {
    location.hash = '/standing';
  });
  await page.locator('.opener').first().waitFor();
  await page.getByLabel('Provisional').check();
  assert.equal(await page.locator('.opener').count(), 0, 'no year opens into drafts');
});
