// News: pages ask anew when the log moves and when their reader has written something, and neither keeps an answer away.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { close, goTo, logIn, offences, open } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

test('a page on a slow line is answered while the log moves', async () => {
  const page = await open();
  let head = 1_000_000;
  await page.route('**/v1/events', (route) => {
    head += 1;
    return route.fulfill({ contentType: 'text/event-stream', body: `event: head\ndata: ${head}\n\n` });
  });
  let asked = 0;
  await page.route('**/v1/progress/article5?*', async (route) => {
    asked += 1;
    await new Promise((go) => setTimeout(go, 3_000));
    await route.continue().catch(() => {});
  });
  await logIn(page, 'authority-director');
  await page.evaluate(() => {
    location.hash = '/standing';
  });
  await page.locator('.comparison').waitFor({ timeout: 20_000 });
  const before = asked;
  await page.waitForTimeout(8_000);
  assert.ok(asked > before, 'what came is asked for again, as there is news');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('what somebody has decided is shown as decided, news or not', async () => {
  const page = await open();
  await page.route('**/v1/events', (route) => route.abort());
  await logIn(page, 'authority-qa');
  await goTo(page, '/review');
  const rows = page.locator('.list li');
  await rows.first().waitFor();
  const waiting = await rows.count();
  await page.click('.detail .actions button:has-text("Return")');
  await page.fill('dialog textarea', 'The fade-out distance is missing.');
  await page.click('dialog button[type=submit]');
  await page.waitForFunction((count) => document.querySelectorAll('.list li').length < count, waiting, {
    timeout: 10_000,
  });
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});
