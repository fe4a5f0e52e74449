// Days are the server's: neither the reader's time zone nor a clock that has stopped makes another day today.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { api, close, goTo, logIn, offences, open, pageOf, settled } from './support.mjs';

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

const asOf = (page) => page.evaluate(() => new URLSearchParams(location.hash.split('?')[1]).get('as_of'));

/** A page that shows the end of 2025, its day's field, and every day that it asks for. */
async function showing(name) {
  const page = await pageOf('authority-im');
  const asked = [];
  page.on('request', (request) => {
    const day = new URL(request.url()).searchParams.get('as_of');
    if (day) asked.push(day);
  });
  await goTo(page, `/${name}?as_of=2025-12-31`);
  const field = page.getByLabel('As of');
  await field.waitFor();
  await settled(page);
  return { page, field, asked };
}

for (const name of ['map', 'standing']) {
  test(`a day is typed digit by digit: ${name}`, async () => {
    const { page, field, asked } = await showing(name);
    await field.focus();
    // The same where the month comes first.
    await page.keyboard.type('06062024', { delay: 40 });
    await page.waitForFunction(() => location.hash.includes('as_of=2024-06-06'));
    assert.equal(await field.inputValue(), '2024-06-06');
    await settled(page);
    assert.equal(await asOf(page), '2024-06-06');
    assert.deepEqual(asked.filter((day) => day < '2000'), [], 'no year of which only the beginning was typed');
  });

  test(`a day of which a part is wiped out stays until there is another: ${name}`, async () => {
    const { page, field } = await showing(name);
    await field.focus();
    await page.keyboard.press('Backspace');
    await settled(page);
    assert.equal(await asOf(page), '2025-12-31');
    await page.keyboard.type('10');
    await page.waitForFunction(() => /as_of=2025-(12-10|10-31)/.test(location.hash));
    await page.keyboard.press('Backspace');
    await page.keyboard.press('Backspace');
    await field.blur();
    assert.equal(await field.inputValue(), await asOf(page), 'the field says what is shown');
  });

  test(`no day is shown that has not come: ${name}`, async () => {
    const day = await serverDay();
    const { page, field, asked } = await showing(name);
    await goTo(page, `/${name}?as_of=2999-05-01`);
    await page.waitForFunction((today) => document.querySelector('input[type=date]').value === today, day);
    await field.fill('2999-06-01');
    await field.blur();
    await settled(page);
    assert.equal(await field.inputValue(), day);
    assert.deepEqual(asked.filter((one) => one > day), []);
    const button = page.getByRole('button', { name: 'Today' });
    if (name === 'map') assert.equal(await button.isDisabled(), true, 'it is shown');
  });
}

test('the way back to today is there from any other day', async () => {
  const { page } = await showing('map');
  const button = page.getByRole('button', { name: 'Today' });
  await button.click();
  await page.waitForFunction(() => !location.hash.includes('as_of='));
  assert.equal(await button.isDisabled(), true);
});
