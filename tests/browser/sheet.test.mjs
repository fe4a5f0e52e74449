// The map on paper, and dialogs: where the keyboard is, and that nothing is printed as complete that is not.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { close, keep, keepBytes, mapOf, offences } from './support.mjs';

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
