// The operator's own base map: drawn under everything where there is one, and nothing else changes where there is none.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { archive, layer, TileType } from './pmtiles.mjs';
import { api, close, goTo, keep, offences, open, pageOf, settled } from './support.mjs';

const FILE = join(process.env.CONSOLE_DATA, 'basemap.pmtiles');
/** What provinces are filled with, and water of a base map. */
const [PROVINCE, WATER] = [[247, 245, 239], [211, 222, 227]];

after(() => rmSync(FILE, { force: true }));
after(close);
after(() => assert.deepEqual(offences, []));

/** How much of the map has a colour. */
async function share(page, colour) {
  return page.evaluate(([red, green, blue]) => {
    const drawn = document.querySelector('.maplibregl-canvas');
    const canvas = new OffscreenCanvas(drawn.width, drawn.height);
    const context = canvas.getContext('2d');
    context.drawImage(drawn, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let place = 0; place < data.length; place += 4) {
      if (data[place] === red && data[place + 1] === green && data[place + 2] === blue) found++;
    }
    return found / (data.length / 4);
  }, colour);
}

async function mapOf(login) {
  const page = await pageOf(login);
  await goTo(page, '/map');
  await page.waitForSelector('.maplibregl-canvas');
  await page.waitForTimeout(2000);
  await settled(page);
  return page;
}

test('without one the countries stay as they are', async () => {
  const page = await mapOf('authority-im');
  assert.ok((await share(page, PROVINCE)) > 0.2);
  assert.equal(await share(page, WATER), 0);
});

test('vector tiles are drawn under the ground, without their names', async () => {
  const { extent } = await api('authority-im', '/v1/programme');
  const square = (from, to) => [[from, from], [to, from], [to, to], [from, to]];
  const tile = [
    ...layer('earth', 3, square(0, 4096)),
    ...layer('water', 3, square(400, 2400)),
    ...layer('buildings', 3, square(2700, 2900)),
    ...layer('roads', 2, [[0, 3600], [2000, 3000], [4096, 3500]]),
  ];
  const layers = ['earth', 'water', 'buildings', 'roads'].map((id) => ({ id, fields: {} }));
  const metadata = { vector_layers: layers, attribution: '<b onclick="alert(1)">Constructed</b> survey' };
  writeFileSync(FILE, archive(extent, TileType.Mvt, tile, metadata));
  const page = await mapOf('authority-im');
  await keep(page, 'basemap-vector');
  assert.ok((await share(page, WATER)) > 0.05, `${await share(page, WATER)} is water`);
  assert.ok((await share(page, PROVINCE)) < 0.01, 'the base map is seen through the provinces');
  const legend = page.locator('.maplibregl-ctrl-attrib-inner');
  assert.match(await legend.textContent(), /Constructed survey/);
  assert.equal(await legend.locator('b').count(), 0, 'markup of the file is none of the page');
});

test('pictures are drawn, for donors too', async () => {
  const { extent } = await api('authority-im', '/v1/programme');
  const painter = await open();
  await painter.setViewportSize({ width: 256, height: 256 });
  await painter.setContent('<html></html>');
  // Nothing on the page: white, 256 by 256.
  const blank = await painter.screenshot({ type: 'png' });
  writeFileSync(FILE, archive(extent, TileType.Png, blank, { attribution: 'Aerial pictures' }));
  const page = await mapOf('observer');
  await keep(page, 'basemap-raster');
  assert.ok((await share(page, PROVINCE)) < 0.01);
  assert.match(await page.locator('.maplibregl-ctrl-attrib-inner').textContent(), /Aerial pictures/);
});
