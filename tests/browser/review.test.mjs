// The review: what somebody has begun can be stopped, and each role finds its own steps.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { close, goTo, offences, pageOf, settled } from './support.mjs';
import { enrol, push } from './tablet.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

test('a step for many stops where its reader cancels it, and says how far it came', async () => {
  const page = await pageOf('hima-manager');
  await goTo(page, '/review');
  await page.locator('.list-head input').check();
  const marked = await page.locator('.list li').count();
  assert.ok(marked > 5);
  let sent = 0;
  await page.route('**/v1/records/*/stage', async (route) => {
    sent += 1;
    await new Promise((go) => setTimeout(go, 600));
    // The second is refused: the server is asked about none of them.
    const refusal = JSON.stringify({ type: 'urn:cartagena:problem:stale', detail: 'the record has moved on' });
    if (sent === 2) await route.fulfill({ status: 412, contentType: 'application/problem+json', body: refusal });
    else await route.fulfill({ json: {} });
  });
  await page.click('.bulk .primary');
  await page.click('dialog button[type=submit]');
  await page.locator('dialog [role=status]', { hasText: '2 of' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  const said = page.locator('.bulk [role=status]');
  await said.waitFor();
  const done = sent;
  assert.ok(done >= 2 && done < marked, `${done}`);
  assert.match(await said.textContent(), new RegExp(`${done} of ${marked} done, then stopped`));
  assert.match(await said.textContent(), /moved on/);
  await page.waitForTimeout(2_000);
  assert.equal(sent, done, 'nothing goes on unseen');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('a QA officer puts their own inspection forward', async () => {
  const { record, outcome } = await push(await enrol('authority-qa', 'Inspecting tablet'), 'qm_inspection', {
    inspection_date: '2026-01-02',
    result: 'pass',
  });
  assert.equal(outcome, 'applied');
  const page = await pageOf('authority-qa');
  await goTo(page, `/map?record=${record}`);
  const panel = page.locator('.side.record');
  await panel.getByRole('button', { name: 'Submit' }).waitFor();
  await goTo(page, `/review?record=${record}`);
  await settled(page);
  await page.locator('.list li.chosen', { hasText: record.slice(-8) }).waitFor();
  await page.click('.detail .actions .primary');
  await page.click('dialog button[type=submit]');
  await page.locator('.list li', { hasText: record.slice(-8) }).waitFor({ state: 'detached' });
});
