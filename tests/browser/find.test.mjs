// Finding a record and looking at it: Enter means what stands there, and what is marked is the record as it is.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { api, close, goTo, mapOf, offences, SERVER, settled, tokenOf } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

const hazards = async () =>
  (await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1000')).features;

test('Enter opens a record of what was typed, however late it is answered', async () => {
  const [one, other] = (await hazards()).filter(({ properties }) => properties.reference);
  const page = await mapOf('authority-im');
  const field = page.getByLabel('Find a reference or a name');
  await field.fill(one.properties.reference);
  await page.locator('.find li').first().waitFor();
  await page.route('**/v1/records?named=*', async (route) => {
    await new Promise((go) => setTimeout(go, 800));
    await route.continue();
  });
  await field.fill(other.properties.reference);
  await field.press('Enter');
  await page.waitForFunction(() => location.hash.includes('record='));
  assert.match(await page.evaluate(() => location.hash), new RegExp(other.id));
  assert.equal(await field.inputValue(), '');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

/** The middle of what is marked on the map, in dots from the left. */
const marked = (page) =>
  page.evaluate(() => {
    const map = document.querySelector('.maplibregl-canvas');
    const copy = new OffscreenCanvas(map.width, map.height).getContext('2d');
    copy.drawImage(map, 0, 0);
    const { data } = copy.getImageData(0, 0, map.width, map.height);
    let [sum, count] = [0, 0];
    for (let dot = 0; dot < data.length; dot += 4) {
      const [red, green, blue] = data.slice(dot, dot + 3);
      if (red < 70 && green > 80 && green < 150 && blue > 140) {
        sum += (dot / 4) % map.width;
        count += 1;
      }
    }
    return { middle: sum / count, count };
  });

test('what is marked is the record as it stands by now', async () => {
  const hazard = (await hazards()).findLast(({ geometry, contested }) => geometry?.type === 'Polygon' && !contested);
  const page = await mapOf('authority-im');
  await goTo(page, `/map?record=${hazard.id}`);
  await page.waitForTimeout(2_000);
  await settled(page);
  const before = await marked(page);
  assert.ok(before.count > 50, `${before.count} dots`);
  const coordinates = hazard.geometry.coordinates.map((ring) => ring.map(([lon, lat]) => [lon + 0.002, lat]));
  const moved = await fetch(`${SERVER}/v1/records/${hazard.id}`, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${await tokenOf('authority-im')}`,
      'content-type': 'application/json',
      'if-match': `"${hazard.version}"`,
    },
    body: JSON.stringify({ changes: { geometry: { to: { type: 'Polygon', coordinates } } }, reason: 'Measured again.' }),
  });
  assert.ok(moved.ok, await moved.text());
  await page.waitForTimeout(4_000);
  await settled(page);
  const now = await marked(page);
  assert.ok(now.middle - before.middle > 20, `${before.middle} → ${now.middle}`);
});
