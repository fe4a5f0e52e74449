// The review and conflicts: what somebody has begun can be stopped and is not taken from them, and is told in words.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { answer } from './records.mjs';
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
  assert.match(await said.textContent(), /has changed since it was marked/);
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
  const asked = answer(page, true);
  await page.keyboard.press('Escape');
  await asked;
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

/** The queue of a reader, made up of what it holds. */
const queueOf = (page, change) =>
  page.route('**/v1/review/queue', async (route) => {
    const answer = await route.fetch();
    const told = await answer.json();
    told.features = change(told.features);
    await route.fulfill({ response: answer, json: told });
  });

test('where none of a kind waits any more, the others are still there', async () => {
  const page = await pageOf('hima-manager');
  let isLastDone = false;
  let one;
  await queueOf(page, (features) => {
    one ??= features[0].kind;
    return features.filter(({ kind }) => kind !== one || !isLastDone);
  });
  await goTo(page, '/review');
  const kinds = page.locator('.list-head select');
  const all = await page.locator('.list li').count();
  await kinds.selectOption(one);
  isLastDone = true;
  await makeNews();
  await page.getByText('No record of this kind waits').waitFor();
  assert.equal(await kinds.inputValue(), one);
  await page.getByRole('button', { name: 'Show all kinds' }).click();
  await page.locator('.list li').first().waitFor();
  assert.ok((await page.locator('.list li').count()) < all);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('of many that were tried only the refused are tried again', async () => {
  const page = await pageOf('hima-manager');
  await goTo(page, '/review');
  const rows = page.locator('.list li');
  await rows.first().waitFor();
  for (let place = 0; place < 3; place++) await rows.nth(place).locator('input').check();
  const name = (await rows.nth(1).locator('strong').textContent()).trim();
  const tried = [];
  await page.route('**/v1/records/*/stage', (route) => {
    tried.push(route.request().url());
    const refusal = JSON.stringify({ type: 'urn:cartagena:problem:stale', detail: 'it is at version 0192' });
    if (tried.length < 2 || tried.length === 3) return route.fulfill({ json: {} });
    return route.fulfill({ status: 412, contentType: 'application/problem+json', body: refusal });
  });
  await page.click('.bulk .primary');
  await page.click('dialog button[type=submit]');
  const said = page.locator('dialog [role=alert]');
  await said.getByText('2 done, 1 refused').waitFor();
  assert.match(await said.textContent(), new RegExp(`${name}: It has changed since it was marked`));
  assert.doesNotMatch(await page.locator('dialog').textContent(), /3 of 3|0192/);
  assert.match(await page.locator('dialog h2').textContent(), /1 record$/);
  await page.click('dialog button[type=submit]');
  await said.getByText('0 done, 1 refused').waitFor();
  assert.equal(tried.length, 4);
  assert.equal(tried[3], tried[1]);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});
