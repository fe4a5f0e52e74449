// The map without a pointer.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { accessible, api, close, goTo, keep, offences, pageOf, settled } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

/** The map where a hazard lies in its middle. */
async function atHazard() {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1000');
  const hazard = features.find(({ geometry, properties }) => geometry?.type === 'Polygon' && properties.status === 'open');
  const page = await pageOf('authority-im');
  await goTo(page, `/map?record=${hazard.id}`);
  await page.waitForSelector('.maplibregl-canvas');
  await page.waitForTimeout(1500);
  await settled(page);
  return page;
}

test('Enter chooses what lies under the cross', async () => {
  const page = await atHazard();
  await page.locator('.side.record').getByLabel('Close').click();
  await page.waitForSelector('.side.record', { state: 'detached' });
  assert.equal(await page.locator('.by-keyboard').count(), 0);
  await page.locator('.maplibregl-canvas').focus();
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Shift+ArrowRight');
  await page.locator('.map-canvas.by-keyboard').waitFor();
  await page.locator('.map-keys').getByText('Enter does what a click on the cross does').waitFor();
  await settled(page);
  await accessible(page, 'the map by keyboard');
  await keep(page, 'map-keyboard');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.side.record h2');
  // A pointer needs no cross.
  await page.mouse.click(700, 700);
  await page.locator('.by-keyboard').waitFor({ state: 'detached' });
});

test('what is measured with a pointer is measured with keys', async () => {
  const page = await atHazard();
  await page.click('.map-tools button:has-text("Measure")');
  await page.locator('.busy-drawing').waitFor();
  await page.locator('.maplibregl-canvas').focus();
  await page.keyboard.press('Enter');
  for (let step = 0; step < 5; step += 1) await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Enter');
  const [length, bearing] = await page.locator('.measuring dd').allTextContents();
  assert.match(length, /^[1-9][\d,]* m$/);
  assert.match(bearing, /^(89|90)\.\d°$/, 'to the east');
});
