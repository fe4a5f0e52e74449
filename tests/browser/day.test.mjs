// Days are the server's: neither the reader's time zone nor a clock that has stopped makes another day today.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { api, close, goTo, logIn, offences, open, settled } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

const serverDay = async () => (await api('authority-im', '/v1/progress/article5')).as_of;

for (const [where, timezoneId, clock] of [
  ['west of Greenwich in the evening', 'America/Bogota', (day) => `${day}T02:00:00Z`],
  ['where the clock fell back', 'UTC', () => '2015-03-01T12:00:00Z'],
]) {
  test(`today is the server’s day ${where}`, async () => {
    const day = await serverDay();
    const page = await open({ timezoneId });
    await page.clock.setFixedTime(clock(day));
    const tiles = [];
    page.on('request', (request) => request.url().includes('/tiles/') && tiles.push(request.url()));
    await logIn(page, 'authority-im');
    await goTo(page, '/map');
    await page.waitForSelector('.maplibregl-canvas');
    await settled(page);
    assert.equal(await page.locator('.slider input[type=date]').inputValue(), day);
    assert.ok(tiles.length > 0 && tiles.every((tile) => !tile.includes('as_of')), `${tiles[0]}`);
    await page.click('.map-tools button:has-text("Print")');
    assert.equal(await page.locator('.sheet header strong').first().textContent(), day, 'what is printed');
    await page.locator('.sheet-tools').getByText('Close').click();
    await goTo(page, '/standing');
    assert.equal(await page.getByLabel('As of').inputValue(), day);
    assert.match(await page.locator('.colophon').textContent(), new RegExp(day));
  });
}
