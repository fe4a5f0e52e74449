// An outline drawn anew: what is saved is what somebody finished, and what can be seen.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { api, close, goTo, keep, offences, pageOf, settled } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

/** The outline editor of a hazard of one ring, and what clicks into its map. */
async function editing() {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1000');
  const simple = features.findLast(
    ({ geometry, contested }) => geometry?.type === 'Polygon' && geometry.coordinates.length === 1 && !contested,
  );
  const page = await pageOf('authority-im');
  await goTo(page, `/map?record=${simple.id}`);
  await page.waitForSelector('.maplibregl-canvas');
  await page.waitForTimeout(1500);
  await settled(page);
  await page.click('.map-tools button:has-text("Edit the outline")');
  await page.locator('.editing form').waitFor();
  const { x, y, width, height } = await page.locator('.map-canvas').boundingBox();
  const click = async (right, down) => {
    await page.mouse.move(x + width * right, y + height * down, { steps: 4 });
    await page.mouse.click(x + width * right, y + height * down);
    await page.waitForTimeout(500);
  };
  return { page, simple, click, save: page.locator('.editing button[type=submit]') };
}

const CORNERS = [
  [0.45, 0.4],
  [0.6, 0.42],
  [0.58, 0.6],
];

test('nothing is saved before the outline is finished, nor when it is gone', async () => {
  const { page, simple, click, save } = await editing();
  const anew = page.locator('.editing button:has-text("Draw anew")');
  await anew.click();
  for (const [right, down] of CORNERS) await click(right, down);
  await page.locator('.editing input').fill('A third corner, and then to the button.');
  await save.hover();
  await page.waitForTimeout(300);
  assert.equal(await save.isDisabled(), true, 'the last corner follows the pointer');
  await page.locator('.editing [role=status]').getByText('there is nothing to save').waitFor();
  await keep(page, 'map-unfinished');
  await click(...CORNERS[0]);
  assert.equal(await save.isDisabled(), false, 'finished');
  await anew.click();
  assert.equal(await save.isDisabled(), true, 'what was drawn is not on the map any more');
  for (const [right, down] of CORNERS) await click(right, down);
  await click(...CORNERS[0]);
  // Beside it, where a second outline could begin.
  await click(0.75, 0.75);
  await click(0.8, 0.8);
  assert.equal(await save.isDisabled(), false);
  await save.click();
  await page.locator('.editing').waitFor({ state: 'detached' });
  const { geometry } = await api('authority-im', `/v1/records/${simple.id}`);
  assert.equal(geometry.coordinates[0].length, 4, 'three corners and no other');
});

test('an outline that nobody changed is not saved', async () => {
  const { page, click, save } = await editing();
  // Looked at, laid aside.
  await click(0.9, 0.9);
  assert.equal(await save.isDisabled(), true);
});
