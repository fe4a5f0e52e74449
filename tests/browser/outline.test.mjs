// An outline drawn anew: what is saved is what somebody finished, and what can be seen.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { api, close, goTo, keep, offences, pageOf, SERVER, settled, tokenOf } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

/** A hazard of one ring. */
async function simpleHazard() {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1000');
  return features.findLast(
    ({ geometry, contested }) => geometry?.type === 'Polygon' && geometry.coordinates.length === 1 && !contested,
  );
}

const EDIT = { en: 'Edit the outline', ar: 'تحرير الحدود' };

/** The outline editor of a hazard, and what clicks into its map. */
async function editing(hazard, { language = 'en', ...options } = {}) {
  const simple = hazard ?? (await simpleHazard());
  const page = await pageOf('authority-im', options);
  await page.selectOption('.languages', language);
  await goTo(page, `/map?record=${simple.id}`);
  await page.waitForSelector('.maplibregl-canvas');
  await page.waitForTimeout(1500);
  await settled(page);
  await page.click(`.map-tools button:has-text("${EDIT[language]}")`);
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

const square = ([lon, lat], half) =>
  [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
    [-1, -1],
  ].map(([right, up]) => [lon + right * half, lat + up * half]);

/** Where the editor shows a place: it has brought the outline's box into the room beside itself. */
async function pointsOf(page, west, south, east, north) {
  const { x, y, width, height } = await page.locator('.map-canvas').boundingBox();
  const panel = await page.locator('.editing form').evaluate((form) => form.offsetWidth);
  const up = (lat) => (180 / Math.PI) * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360));
  const scale = Math.min((width - panel - 120) / (east - west), (height - 120) / (up(north) - up(south)));
  const middle = [x + panel + 60 + (width - panel - 120) / 2, y + height / 2];
  return ([lon, lat]) => [
    middle[0] + (lon - (west + east) / 2) * scale,
    middle[1] - (up(lat) - (up(south) + up(north)) / 2) * scale,
  ];
}

test('an outline of parts and holes is mended ring by ring, and a part is removed', async () => {
  const hazard = await simpleHazard();
  const [lon, lat] = hazard.geometry.coordinates[0][0];
  const [west, middle, east] = [-0.003, 0.002, 0.006].map((far) => [lon + far, lat]);
  const parts = [[square(west, 0.002), square(west, 0.0008)], [square(middle, 0.001)], [square(east, 0.001)]];
  const put = await fetch(`${SERVER}/v1/records/${hazard.id}`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${await tokenOf('authority-im')}`,
      'content-type': 'application/json',
      'if-match': `"${hazard.version}"`,
    },
    body: JSON.stringify({
      changes: { geometry: { to: { type: 'MultiPolygon', coordinates: parts } } },
      reason: 'Three parts, one of them around a house.',
    }),
  });
  assert.equal(put.status, 200, await put.text());
  const { page, save } = await editing(hazard);
  const at = await pointsOf(page, lon - 0.005, lat - 0.002, lon + 0.007, lat + 0.002);
  const drag = async (from, to) => {
    await page.mouse.move(...at(from), { steps: 4 });
    await page.mouse.down();
    await page.mouse.move(...at(to), { steps: 8 });
    await page.mouse.up();
    await page.waitForTimeout(300);
  };
  const choose = async (place) => {
    await page.mouse.move(...at(place), { steps: 4 });
    await page.mouse.click(...at(place));
    await page.waitForTimeout(300);
  };
  assert.equal(await save.isDisabled(), true, 'nothing is changed yet');
  await keep(page, 'map-parts');
  // The hole's north-eastern corner, towards its middle.
  await choose(west);
  await drag([west[0] + 0.0008, lat + 0.0008], [west[0] + 0.0004, lat + 0.0004]);
  await choose(east);
  // By a button too, for fingers; and what one did not mean comes back.
  const remove = page.getByRole('button', { name: 'Remove part or hole' });
  const undo = page.getByRole('button', { name: 'Undo' });
  const area = page.locator('.editing form > p').nth(1);
  const mended = await area.textContent();
  await remove.click();
  assert.equal(await remove.isDisabled(), true, 'nothing is chosen any more');
  await choose(west);
  await remove.click();
  assert.notEqual(await area.textContent(), mended);
  await undo.click();
  await undo.click();
  assert.equal(await area.textContent(), mended, 'the part and the hole are there again');
  await choose(east);
  await page.keyboard.press('Delete');
  await page.waitForTimeout(300);
  await page.locator('.editing input').fill('Nothing is in the east; the yard is smaller.');
  await keep(page, 'map-parts-mended');
  assert.equal(await save.isDisabled(), false);
  await save.click();
  await page.locator('.editing').waitFor({ state: 'detached' });
  const { geometry } = await api('authority-im', `/v1/records/${hazard.id}`);
  assert.equal(geometry.type, 'MultiPolygon');
  assert.equal(geometry.coordinates.length, 2, 'one part is gone');
  assert.deepEqual(geometry.coordinates[1], parts[1], 'another stays exactly as it was');
  const [shell, yard] = geometry.coordinates[0];
  assert.deepEqual(shell, parts[0][0]);
  assert.equal(yard.length, 5);
  const moved = yard.filter(([x, y], place) => x !== parts[0][1][place][0] || y !== parts[0][1][place][1]);
  assert.equal(moved.length, 1, 'one corner of the hole is another');
  assert.ok(Math.abs(moved[0][0] - west[0] - 0.0004) < 1e-4 && Math.abs(moved[0][1] - lat - 0.0004) < 1e-4);
});

/** Moves the first corner of the outline that is edited. */
async function moveCorner(page, { geometry }) {
  const ring = geometry.coordinates[0];
  const [lons, lats] = [0, 1].map((axis) => ring.map((place) => place[axis]));
  const at = await pointsOf(page, Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats));
  const [x, y] = at(ring[0]);
  const under = await page.evaluate(([left, top]) => document.elementFromPoint(left, top)?.tagName, [x, y]);
  assert.equal(under, 'CANVAS', 'nothing lies on the corner');
  await page.mouse.move(x, y, { steps: 4 });
  await page.mouse.down();
  await page.mouse.move(x + 15, y + 15, { steps: 8 });
  await page.mouse.up();
}

for (const [where, options] of [
  ['in Arabic', { language: 'ar' }],
  ['on a tablet that is held upright', { viewport: { width: 800, height: 1280 } }],
  ['on a small tablet', { viewport: { width: 1024, height: 768 } }],
]) {
  test(`the whole outline lies beside the editor ${where}`, async () => {
    const { page, simple, save } = await editing(undefined, options);
    const { geometry } = await api('authority-im', `/v1/records/${simple.id}`);
    await moveCorner(page, { geometry });
    await keep(page, `map-edit-${where.replaceAll(' ', '-')}`);
    await page.waitForFunction(() => !document.querySelector('.editing button[type=submit]').disabled);
    assert.equal(await save.isVisible(), true);
  });
}

test('the editor stays with the record that it was opened for', async () => {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1000');
  const [one, other] = features.filter(({ geometry, contested }) => geometry?.type === 'Polygon' && !contested);
  const { page } = await editing(one);
  await goTo(page, `/map?record=${other.id}`);
  await page.locator('.editing').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Edit the outline', pressed: false }).waitFor();
  await goTo(page, `/map?record=${one.id}`);
  await page.getByRole('button', { name: 'Edit the outline', pressed: false }).waitFor();
  assert.equal(await page.locator('.editing').count(), 0, 'it does not come back by itself');
});
