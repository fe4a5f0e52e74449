// The map on paper, and dialogs: where the keyboard is, and that nothing is printed as complete that is not.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { close, goTo, keep, keepBytes, mapOf, offences, pageOf, settled } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

const tool = (page, words) => page.locator('.map-tools button', { hasText: words });
const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim());

test('the sheet has the keyboard to itself and gives it back', async () => {
  const page = await mapOf('authority-im');
  await tool(page, 'Print').focus();
  await page.keyboard.press('Enter');
  const sheet = page.getByRole('dialog', { name: 'The map on paper' });
  await sheet.waitFor();
  assert.equal(await page.getByLabel('Heading').evaluate((field) => field === document.activeElement), true);
  for (let press = 0; press < 8; press += 1) {
    await page.keyboard.press('Tab');
    const inside = await page.evaluate(
      () => document.activeElement === document.body || document.querySelector('dialog').contains(document.activeElement),
    );
    assert.ok(inside, `after ${press + 1} tabs`);
  }
  await page.keyboard.press('Escape');
  await sheet.waitFor({ state: 'detached' });
  assert.equal(await focused(page), 'Print');
});

test('a dialog gives the keyboard back, however it is closed', async () => {
  const page = await mapOf('authority-im');
  const save = tool(page, 'Save as a file');
  for (const close of ['Close', 'Cancel', 'Escape']) {
    await save.focus();
    await page.keyboard.press('Enter');
    const dialog = page.locator('dialog');
    await dialog.waitFor();
    if (close === 'Escape') await page.keyboard.press('Escape');
    else await dialog.getByRole('button', { name: close }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await focused(page), 'Save as a file', close);
  }
});

test('what is not yet drawn, or could not be, is not printed as complete', async () => {
  const page = await mapOf('authority-im');
  let broken = true;
  let asked = 0;
  let answer;
  const held = new Promise((go) => {
    answer = go;
  });
  await page.route('**/tiles/**', async (route) => {
    asked += 1;
    await held;
    return broken ? route.fulfill({ status: 500, body: '' }) : route.continue();
  });
  const print = page.locator('.sheet-tools button.primary');
  await tool(page, 'Print').click();
  await page.waitForSelector('.sheet[aria-busy=true] .sheet-map canvas');
  await page.waitForTimeout(500);
  assert.ok(asked > 0);
  assert.equal(await print.isDisabled(), true, 'nothing is there yet');
  answer();
  await page.locator('.sheet [role=alert]').getByText('Not everything could be drawn').waitFor();
  await page.waitForTimeout(1500);
  assert.equal(await print.isDisabled(), true);
  await keep(page, 'map-sheet-broken');
  keepBytes('map-sheet-broken.pdf', await page.pdf({ preferCSSPageSize: true, printBackground: true }));
  broken = false;
  await page.locator('.sheet-tools').getByRole('button', { name: 'Close' }).click();
  await tool(page, 'Print').click();
  await page.waitForSelector('.sheet[aria-busy=false] .sheet-legend');
  await page.waitForFunction(() => !document.querySelector('.sheet-tools button.primary').disabled);
  assert.equal(await page.locator('.sheet [role=alert]').count(), 0);
});

/** South, west, north and east of a sheet, as it says them. */
async function cornersOf(page) {
  const said = (await page.locator('.sheet-facts span[dir=ltr]').allTextContents()).join(', ');
  const degrees = [...said.matchAll(/(\d+)° (\d+)′ ([\d.]+)″ ([NSEW])/g)].map(
    ([, whole, minutes, seconds, side]) =>
      (Number(whole) + minutes / 60 + seconds / 3600) * (side === 'S' || side === 'W' ? -1 : 1),
  );
  assert.equal(degrees.length, 4, said);
  return degrees;
}

const isWhole = (page) => page.waitForFunction(() => !document.querySelector('.sheet-tools button.primary').disabled);

test('another paper has all that was in view', async () => {
  const page = await mapOf('authority-im');
  await tool(page, 'Print').click();
  await isWhole(page);
  // The first paper is wider than the window, and as high as what it shows.
  const [south, west, north, east] = await cornersOf(page);
  const [window, paper] = await Promise.all(
    ['.map-middle .map-canvas', '.sheet .map-canvas'].map((selector) => page.locator(selector).boundingBox()),
  );
  const height = north - south;
  const width = (east - west) * (window.width / window.height) * (paper.height / paper.width);
  for (const other of ['a4-portrait', 'a3-landscape', 'a3-portrait']) {
    await page.selectOption('.sheet-tools select', other);
    await settled(page);
    await isWhole(page);
    const shown = await cornersOf(page);
    const [high, wide] = [shown[2] - shown[0], shown[3] - shown[1]];
    assert.ok(high > height * 0.98 && wide > width * 0.98, `${other}: ${wide} × ${high}, not ${width} × ${height}`);
    assert.ok(high < height * 1.02 || wide < width * 1.02, `${other}: ${wide} × ${high}, and no more than that`);
    await keep(page, `map-sheet-${other}`);
  }
});

test('what prints and closes is in the window, however wide the paper', async () => {
  const page = await pageOf('authority-im', { viewport: { width: 800, height: 1100 } });
  await goTo(page, '/map');
  await page.waitForSelector('.maplibregl-canvas');
  await settled(page);
  for (const language of ['en', 'ar']) {
    await page.selectOption('.languages', language);
    await page.locator('.map-tools > button').nth(-2).click();
    await page.selectOption('.sheet-tools select', 'a3-landscape');
    for (const far of [0, 5_000, -5_000]) {
      await page.locator('.sheet-view').evaluate((view, left) => view.scrollTo({ left }), far);
      for (const button of await page.locator('.sheet-tools button').all()) {
        const { x, width } = await button.boundingBox();
        assert.ok(x >= 0 && x + width <= 800, `${language}, ${far}: ${x} to ${x + width}`);
      }
    }
    await keep(page, `map-sheet-wide-${language}`);
    await page.keyboard.press('Escape');
    await page.locator('.sheet-view').waitFor({ state: 'detached' });
  }
});
