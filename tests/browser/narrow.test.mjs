// The map on a tablet that is held upright, or is small: nothing lies on the ground that was asked for.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { accessible, api, close, fits, goTo, keep, offences, pageOf, settled } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

/** Whether nothing covers the middle of what a selector finds. */
const isOpen = (page, selector) =>
  page.locator(selector).evaluate((node) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return node.contains(document.elementFromPoint(x + width / 2, y + height / 2));
  });

for (const [name, viewport] of [
  ['upright', { width: 800, height: 1280 }],
  ['small', { width: 1024, height: 768 }],
]) {
  test(`a record lies beside the map, not on it: ${name}`, async () => {
    const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1000');
    const hazard = features.find(({ geometry, properties }) => geometry?.type === 'Polygon' && properties.status === 'open');
    const page = await pageOf('authority-im', { viewport });
    await goTo(page, '/map');
    await page.waitForSelector('.maplibregl-canvas');
    await settled(page);
    await page.getByLabel('Find a reference or a name').fill(hazard.id);
    await page.locator('.find li button').first().click();
    await page.locator('.side.record h2').waitFor();
    await page.waitForTimeout(1500);
    await settled(page);
    const [map, panel] = await Promise.all(
      ['.map-canvas', '.side.record'].map((selector) => page.locator(selector).boundingBox()),
    );
    const isBeside = panel.x >= map.x + map.width || panel.y >= map.y + map.height;
    assert.ok(isBeside, `${JSON.stringify(panel)} and ${JSON.stringify(map)}`);
    assert.ok(map.width > 300 && map.height > 250, `there is a map: ${JSON.stringify(map)}`);
    for (const selector of ['.maplibregl-ctrl-zoom-in', '.maplibregl-ctrl-zoom-out', '.slider button', '.side.record .close']) {
      assert.equal(await isOpen(page, selector), true, selector);
    }
    await fits(page, name);
    await accessible(page, `a record on a tablet: ${name}`);
    await keep(page, `map-record-${name}`);
    // What was opened is in the middle of what is seen.
    await page.mouse.click(map.x + map.width / 2, map.y + map.height / 2);
    await settled(page);
    assert.ok((await page.evaluate(() => location.hash)).includes(hazard.id));
    const zoom = (await page.locator('.maplibregl-ctrl-scale').textContent()).match(/\d+\s?(k?m)/);
    assert.equal(zoom[1], 'm', 'and near');
  });
}
