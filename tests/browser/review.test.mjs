// The review and conflicts: what somebody has begun can be stopped and is not taken from them, and is told in words.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { api, close, goTo, offences, pageOf, settled } from './support.mjs';
import { enrol, push, update } from './tablet.mjs';

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

let pushed = 0;
/** Something that has nothing to do with what is looked at. */
const makeNews = async () => {
  pushed += 1;
  const tablet = await enrol('hima-surveyor-2', `Tablet with news ${pushed}`);
  await push(tablet, 'survey', { survey_type: 'non_technical_survey', start_date: '2026-01-02' });
};

test('what is open stays open when its list moves, with what was typed', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/review');
  const rows = page.locator('.list li');
  await rows.first().waitFor();
  const name = await page.locator('.detail h2[dir]').textContent();
  await page.click('.detail .actions button:has-text("Return")');
  await page.fill('dialog textarea', 'The fade-out distance is missing.');
  await page.route('**/v1/review/queue', async (route) => {
    const answer = await route.fetch();
    const told = await answer.json();
    told.features.shift();
    await route.fulfill({ response: answer, json: told });
  });
  const waiting = await rows.count();
  await makeNews();
  await page.waitForFunction((count) => document.querySelectorAll('.list li').length < count, waiting);
  await settled(page);
  assert.equal(await page.locator('.detail h2[dir]').textContent(), name);
  assert.equal(await page.locator('dialog textarea').inputValue(), 'The fade-out distance is missing.');
  await page.keyboard.press('Escape');
  await page.locator('.detail').getByText('This is not in the list').waitFor();
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('old figures are not shown as new ones', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/review');
  await page.locator('.strip').waitFor();
  await page.route('**/v1/ledger/remaining?*', (route) => route.fulfill({ status: 503, body: '' }));
  await makeNews();
  await page.locator('.head [role=alert]').waitFor();
  assert.equal(await page.locator('.strip dd').count(), 2);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

/** A conflict about where an area is that is known by a point; what makes the record move on, too. */
async function conflictOfPlaces() {
  const tablets = [];
  for (const [place, who] of ['tern-surveyor-1', 'tern-surveyor-2'].entries()) {
    tablets.push(await enrol(who, `Placing tablet ${place} ${Math.random()}`));
  }
  const [one, two] = tablets;
  const { extent } = await api('authority-im', '/v1/programme');
  const at = (east) => ({ type: 'Point', coordinates: [extent.west + 0.05 + east, extent.south + 0.05] });
  const { record } = await push(one, 'hazardous_area', {
    classification: 'SHA',
    status: 'open',
    contamination: ['ap_mine'],
    date_identified: '2026-01-02',
    geometry: at(0),
  });
  const { version } = await api('authority-im', `/v1/records/${record}`);
  assert.equal(await update(one, 2, record, version, { geometry: { to: at(0.001) } }), 'applied');
  assert.equal(await update(two, 1, record, version, { geometry: { to: at(0.002) } }), 'conflict');
  const [conflict] = (await api('authority-im', `/v1/conflicts?record=${record}`)).conflicts;
  const moveOn = async () => {
    const head = (await api('authority-im', `/v1/records/${record}`)).version;
    return update(one, 3, record, head, { status: { to: 'suspended' } });
  };
  return { record, conflict, moveOn };
}

test('a conflict says where its sides are, and keeps what was chosen and typed when what stands moves on', async () => {
  const { conflict, moveOn } = await conflictOfPlaces();
  const page = await pageOf('authority-im');
  await goTo(page, `/conflicts?conflict=${conflict.id}`);
  const cells = page.locator('.choice tbody tr').first().locator('td');
  const [base, theirs, mine] = await cells.allTextContents();
  for (const words of [base, theirs, mine]) assert.match(words, /-?\d+\.\d{6}, -?\d+\.\d{6}/);
  assert.equal(new Set([base, theirs, mine]).size, 3);
  assert.match(mine, /moved by up to 2\d\d m/);
  await page.getByRole('radio', { name: 'Outline: take What stands' }).check();
  await page.locator('.decide textarea').fill('The team saw the place again');
  await moveOn();
  await page.locator('.detail [role=alert]', { hasText: 'What stands has changed' }).waitFor();
  assert.equal(await page.locator('.decide textarea').inputValue(), 'The team saw the place again');
  assert.equal(await page.getByRole('radio', { name: 'Outline: take What stands' }).isChecked(), true);
  await page.getByRole('button', { name: 'Show it as it stands now' }).click();
  await page.getByRole('radio', { name: 'Outline: take What stands' }).check();
  await page.locator('.decide button[type=submit]').click();
  await page.locator('.list li', { hasText: conflict.record_id.slice(-8) }).waitFor({ state: 'detached' });
  // Whoever follows a link to it is told, and shown no other.
  await goTo(page, `/conflicts?conflict=${conflict.id}`);
  await page.getByText('This conflict has been settled').waitFor();
});

test('two versions say in words how far an outline has moved', async () => {
  const { record } = await conflictOfPlaces();
  const page = await pageOf('authority-im');
  await goTo(page, `/review?stage=draft&record=${record}`);
  const row = page.locator('.sides tr', { hasText: 'Outline' });
  await row.waitFor();
  assert.match(await row.textContent(), /moved by up to 1\d\d m/);
});
