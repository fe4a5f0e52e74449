// What a map does where a part of it cannot be had: a hole looks like ground without mines.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { accessible, browser, goTo, keep, offences, pageOf, settled } from './support.mjs';

after(() => browser.close());
after(() => assert.deepEqual(offences, []));

test('a map with holes says so for as long as it has them', async () => {
  const page = await pageOf('authority-im');
  let asked = 0;
  await page.route('**/tiles/**', (route) => {
    asked += 1;
    return route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"detail":"busy"}' });
  });
  await goTo(page, '/map');
  const warning = page.locator('.map-notes [role=alert]', { hasText: 'there may be mines' });
  await warning.waitFor();
  const first = asked;
  assert.ok(first >= 3, 'each is asked for again before it is given up');
  // It does not go away by itself, however long the map is at rest.
  await page.waitForTimeout(1_500);
  assert.equal(await warning.count(), 1);
  await accessible(page, 'a map with holes');
  await keep(page, 'map-holes');
  await page.unroute('**/tiles/**');
  await warning.getByRole('button').click();
  await warning.waitFor({ state: 'detached' });
  await settled(page);
  assert.match(await page.locator('.side.layers').textContent(), /\d/);
  assert.equal(await warning.count(), 0);
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
