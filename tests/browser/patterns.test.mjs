// Colours never stand alone: what is red to some and green to others is told apart by its lines.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { api, close, goTo, keep, offences, pageOf, SERVER, settled, tokenOf } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

/** Pictures of a legend without their colours. */
const lines = (pictures) =>
  pictures.evaluateAll((found) =>
    found.map((picture) => picture.innerHTML.replace(/#[\da-f]{6}/gi, '').replace(/url\([^)]*\)/g, '').replace(/ id="[^"]*"/, '')),
  );

const distinct = (all, what) => assert.equal(new Set(all).size, all.length, `${what}: ${all.join('\n')}`);

/** A hazard whose outline somebody has drawn anew: less of it to the east and more to the west. */
async function redrawn() {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1000');
  const hazard = features.find(
    ({ geometry, contested, properties }) =>
      geometry?.type === 'Polygon' && geometry.coordinates.length === 1 && !contested && properties.status === 'open',
  );
  const headers = { authorization: `Bearer ${await tokenOf('authority-im')}`, 'content-type': 'application/json' };
  const { geometry } = hazard;
  const to = { type: 'Polygon', coordinates: geometry.coordinates.map((ring) => ring.map(([lon, lat]) => [lon - 0.0004, lat])) };
  const patched = await fetch(`${SERVER}/v1/records/${hazard.id}`, {
    method: 'PATCH',
    headers: { ...headers, 'if-match': `"${hazard.version}"` },
    body: JSON.stringify({ changes: { geometry: { to } }, reason: 'Measured again.' }),
  });
  assert.ok(patched.ok, await patched.text());
  return hazard.id;
}

test('outlines of areas differ in their lines', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/map');
  await page.waitForSelector('.maplibregl-canvas');
  await settled(page);
  distinct(await lines(page.locator('.legend.plain li svg')), 'outlines by status');
});

test('what an edit adds and removes differs in its pattern', async () => {
  const id = await redrawn();
  const page = await pageOf('authority-im');
  await goTo(page, `/review?stage=draft&record=${id}`);
  await page.waitForSelector('.compared .maplibregl-canvas');
  await page.waitForTimeout(1500);
  await settled(page);
  const pictures = page.locator('.compared .key').first().locator('svg');
  assert.equal(await pictures.count(), 4);
  distinct(await lines(pictures), 'parts of a difference');
  await page.locator('.compared').scrollIntoViewIfNeeded();
  await keep(page, 'review-difference');
});
