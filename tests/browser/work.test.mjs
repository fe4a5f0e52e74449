// What reviewers do: approve and see the figure move, settle a conflict, look after the field.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  accessible,
  api,
  close,
  fits,
  goTo,
  keep,
  offences,
  pageOf,
  PATIENCE,
  picture,
  settled,
} from './support.mjs';
import { enrol, push, pushWithPhoto, send, update } from './tablet.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

const remaining = async (basis = 'official') =>
  (await api('authority-im', `/v1/ledger/remaining?basis=${basis}&treaty=apmbc_article_5`)).total_m2;

/** The effect that a release under review has on what remains. */
async function effects() {
  const { rows } = await api('authority-im', '/v1/ledger/releases?basis=provisional');
  return new Map(rows.map((row) => [row.land_release, row.effective_m2]));
}

test('a release is approved and the official figure moves, for whoever looks', async () => {
  const queue = (await api('authority-im-2', '/v1/review/queue')).features;
  const effective = await effects();
  const release = queue.find(
    ({ kind, id, properties }) =>
      kind === 'land_release' && effective.get(id) > 100 && !properties.treaty_scope?.includes('none'),
  );
  assert.ok(release, 'the demonstration has a release that awaits its last step');
  const watcher = await pageOf('authority-director');
  await goTo(watcher, '/standing');
  const figure = watcher.locator('.comparison tr.strong td').first();
  const before = { words: await figure.textContent(), area: await remaining() };

  const page = await pageOf('authority-im-2');
  await goTo(page, `/review?record=${release.id}`);
  await page.waitForSelector('.compared .maplibregl-canvas');
  await page.waitForTimeout(1500);
  await settled(page);
  await accessible(page, 'review');
  await picture(page, 'review');
  const strip = page.locator('.strip [data-basis=official]');
  assert.equal(await strip.locator('.badge').count(), 0);
  await page.click('.detail .actions .primary');
  await page.locator('dialog').waitFor();
  await accessible(page, 'approve');
  await page.fill('dialog textarea', 'Looked at the completion report.');
  await page.click('dialog button[type=submit]');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await strip.locator('.badge').waitFor();
  const after_ = await remaining();
  assert.ok(after_ < before.area - 100, `${before.area} → ${after_}`);
  const moved = Number((await strip.locator('.badge').textContent()).replace(/[^\d]/g, ''));
  assert.ok(Math.abs(moved - (before.area - after_)) < 1, `${moved}`);
  await keep(page, 'review-approved');
  // Nobody touched the director's page: the news came by itself.
  await watcher.waitForFunction(
    (old) => document.querySelector('.comparison tr.strong td')?.textContent !== old,
    before.words,
    { timeout: PATIENCE },
  );
});

test('a record is returned with a reason, and none without', async () => {
  const page = await pageOf('authority-qa');
  await goTo(page, '/review');
  const row = page.locator('.list li').first();
  const name = await row.locator('strong').textContent();
  const waiting = await page.locator('.list li').count();
  await page.click('.detail .actions button:has-text("Return")');
  const form = page.locator('dialog form');
  assert.equal(await form.evaluate((known) => known.checkValidity()), false, 'a reason is asked for');
  await page.fill('dialog textarea', 'The fade-out distance is missing.');
  await page.click('dialog button[type=submit]');
  await page.waitForFunction((count) => document.querySelectorAll('.list li').length < count, waiting);
  assert.notEqual(await page.locator('.list li strong').first().textContent(), name);
});

test('many are taken on at once, each answered for itself', async () => {
  const page = await pageOf('tern-manager');
  await goTo(page, '/review');
  await page.locator('.list-head select').selectOption('eo_item');
  const waiting = await page.locator('.list li').count();
  assert.ok(waiting > 2);
  await page.locator('.list-head input').check();
  await page.click('.bulk .primary');
  await keep(page, 'review-bulk');
  await page.click('dialog button[type=submit]');
  await page.waitForFunction((count) => document.querySelectorAll('.list li').length < count, waiting, {
    timeout: PATIENCE,
  });
});

test('nobody approves a version that they have not looked at', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/review');
  const rows = page.locator('.list li');
  await rows.first().waitFor();
  await rows.first().locator('input[type=checkbox]').check();
  const name = (await rows.first().locator('strong').textContent()).trim();
  const { features } = await api('authority-im', '/v1/review/queue');
  const record = features.find(({ properties, id }) =>
    [properties.reference, properties.local_reference, properties.name, id.slice(-8)].includes(name),
  );
  // Somebody finalises it meanwhile, and it is amended and put forward again: another version of it waits.
  await page.route(`**/v1/records/${record.id}/stage`, (route) => {
    sent = route.request().headers()['if-match'];
    return route.fulfill({
      status: 412,
      contentType: 'application/problem+json',
      body: JSON.stringify({ type: 'urn:cartagena:problem:stale', detail: 'the record has moved on' }),
    });
  });
  let sent = '';
  await page.route('**/v1/review/queue', async (route) => {
    const answer = await route.fetch();
    const told = await answer.json();
    for (const one of told.features) if (one.id === record.id) one.version = '01900000-0000-7000-8000-000000000000';
    return route.fulfill({ response: answer, json: told });
  });
  await push(await enrol('hima-surveyor-2', 'Another tablet'), 'survey', {
    survey_type: 'non_technical_survey',
    start_date: '2026-01-02',
  });
  await rows.first().getByText('changed since marked').waitFor();
  await page.locator('.bulk button.primary').click();
  await page.locator('dialog button[type=submit]').click();
  await page.locator('dialog [role=alert]', { hasText: 'has changed since it was marked' }).waitFor();
  assert.equal(sent, `"${record.version}"`, 'the version that was marked, and no other');
  // Live pages ask until the browser ends: an answer that is being changed then would be nobody's.
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('a conflict of two tablets is settled, and nothing is chosen beforehand', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/conflicts');
  await page.waitForSelector('.compared .maplibregl-canvas');
  await page.waitForTimeout(1500);
  await settled(page);
  const open = (await api('authority-im', '/v1/conflicts')).conflicts;
  const [conflict] = open;
  assert.equal(await page.locator('.list li').count(), open.length);
  assert.equal(await page.locator('.choice input:checked').count(), 0);
  await accessible(page, 'conflicts');
  await keep(page, 'conflict');
  const settle = page.locator('.decide button[type=submit]');
  await page.fill('.decide textarea', 'The supervisor was there: work is suspended.');
  assert.equal(await settle.isDisabled(), true, 'a reason is not a choice');
  const groups = page.locator('.choice tr.choose');
  for (let group = 0; group < (await groups.count()); group++) {
    await groups.nth(group).locator('input').nth(2).check();
  }
  await settle.click();
  await page.waitForFunction((count) => document.querySelectorAll('.list li').length < count, open.length);
  await page.waitForFunction(() => document.activeElement?.id === 'main', undefined, { timeout: PATIENCE });
  const left = (await api('authority-im', '/v1/conflicts')).conflicts;
  assert.equal(left.some(({ id }) => id === conflict.id), false);
  const record = await api('authority-im', `/v1/records/${conflict.record_id}`);
  for (const [field, value] of Object.entries(conflict.mine.values)) {
    assert.deepEqual(record.properties[field] ?? null, value, field);
  }
});

test('what a tablet struck out is struck out by the settlement', async () => {
  const [one, two] = [await enrol('tern-surveyor-1', 'Striking tablet'), await enrol('tern-surveyor-2', 'Other tablet')];
  const evidence = (words) => ({ id: crypto.randomUUID(), kind: 'statement', strength: 'direct', date: '2026-01-02', description: words });
  const [mistaken, kept] = [evidence('A mistake'), evidence('A herder saw a mine')];
  const { extent } = await api('authority-im', '/v1/programme');
  const [lon, lat] = [extent.west + 0.05, extent.south + 0.05];
  // A ring that a tablet has not closed: its last corner is a corner.
  const ring = [[lon, lat], [lon + 0.001, lat], [lon + 0.001, lat + 0.001], [lon, lat + 0.001]];
  const { record, outcome } = await push(one, 'hazardous_area', {
    classification: 'SHA',
    status: 'open',
    contamination: ['ap_mine'],
    date_identified: '2026-01-02',
    evidence: [mistaken, kept],
    geometry: { type: 'Polygon', coordinates: [ring] },
  });
  assert.equal(outcome, 'applied');
  const { version } = await api('authority-im', `/v1/records/${record}`);
  const status = (to) => ({ status: { to } });
  assert.equal(await update(one, 2, record, version, status('suspended')), 'applied');
  const edit = { ...status('tasked'), evidence: { remove: [mistaken.id] } };
  assert.equal(await update(two, 1, record, version, edit), 'conflict');
  const [conflict] = (await api('authority-im', `/v1/conflicts?record=${record}`)).conflicts;
  const page = await pageOf('authority-im');
  await goTo(page, `/conflicts?conflict=${conflict.id}`);
  await page.getByRole('radio', { name: 'Status: take What stands' }).check();
  await page.getByRole('radio', { name: 'Evidence: take What was meant' }).check();
  await page.locator('.decide textarea').fill('The team saw the place again');
  await page.locator('.decide button[type=submit]').click();
  await page.locator('.list li', { hasText: conflict.record_id.slice(-8) }).waitFor({ state: 'detached' });
  const { properties } = await api('authority-im', `/v1/records/${record}`);
  assert.equal(properties.status, 'suspended');
  assert.equal(properties.evidence.find(({ id }) => id === mistaken.id).removed, true);
  assert.equal(properties.evidence.find(({ id }) => id === kept.id).description, 'A herder saw a mine');
  await goTo(page, `/map?record=${record}`);
  await page.locator('.side.record').getByRole('button', { name: 'Edit', exact: true }).click();
  const places = await page.locator('dialog').getByLabel('Places, one a line').inputValue();
  assert.equal(places.split('\n').length, 4);
});

test('the field: what is quarantined is repaired or set aside', async () => {
  const manager = await pageOf('tern-manager');
  await goTo(manager, '/field');
  await accessible(manager, 'field');
  await keep(manager, 'field', { whole: true });
  await fits(manager, 'field');
  const page = await pageOf('authority-im');
  await goTo(page, '/field');
  const cards = page.locator('.cards > li');
  const before = await cards.count();
  assert.ok(before > 0, 'the demonstration has a quarantined edit');
  await cards.first().getByText('Repair and resubmit').click();
  await page.locator('dialog .changed').first().waitFor();
  await keep(page, 'quarantine');
  await page.keyboard.press('Escape');
  await cards.first().getByText('Set aside').click();
  await page.fill('dialog textarea', 'Not theirs to change; the owner has been told.');
  await page.click('dialog button[type=submit]');
  await page.waitForFunction((count) => document.querySelectorAll('.cards > li').length < count, before);
});

test('a photo is waited for, comes, and is looked at', async () => {
  const page = await pageOf('authority-im');
  const photo = await page.screenshot();
  const tablet = await enrol('hima-surveyor-1', 'Tablet with a camera');
  const { extent } = await api('authority-im', '/v1/programme');
  const place = [(extent.west + extent.east) / 2, (extent.south + extent.north) / 2];
  const fields = {
    category: 'ap_mine',
    quantity: 1,
    found_date: new Date().toISOString().slice(0, 10),
    geometry: { type: 'Point', coordinates: place },
  };
  const { record, sha256 } = await pushWithPhoto(tablet, 'eo_item', fields, photo);
  await goTo(page, '/field');
  await page.getByText('lane-3.png').waitFor();
  await keep(page, 'photo-awaited');
  await goTo(page, `/map?record=${record}`);
  await page.locator('.photos .file', { hasText: 'has not come yet' }).waitFor();
  await send(tablet, sha256, photo);
  await page.reload();
  const picture_ = page.locator('.photos img');
  await picture_.waitFor();
  await page.waitForFunction(() => document.querySelector('.photos img')?.naturalWidth > 0);
  await page.locator('.photos button').click();
  await page.locator('dialog img').waitFor();
  await settled(page);
  await accessible(page, 'photo');
  await keep(page, 'photo');
  await goTo(page, '/field');
  await page.locator('h1').waitFor();
  await settled(page);
  assert.equal(await page.getByText('lane-3.png').count(), 0, 'nobody waits for it any more');
});

test('administration: the programme is changed, a year is frozen', async () => {
  const page = await pageOf('authority-director');
  await goTo(page, '/admin');
  await accessible(page, 'admin');
  await keep(page, 'admin', { whole: true });
  await fits(page, 'admin');
  await page.getByRole('button', { name: 'Add a year' }).click();
  const year = await page.locator('fieldset').nth(1).locator('tbody tr').last().locator('input').first().inputValue();
  await page.getByRole('button', { name: 'Save' }).click();
  // Once it is saved there is nothing to discard.
  await page.getByRole('button', { name: 'Discard the changes' }).waitFor({ state: 'detached' });
  const programme = await api('authority-director', '/v1/programme');
  assert.ok(programme.milestones.some((plan) => plan.year === Number(year)));
  assert.ok(programme.admin_units.features.length > 0, 'what the form does not show stays');
  await page.getByRole('button', { name: 'Freeze a year' }).click();
  await page.click('dialog button[type=submit]');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.getByText('The books say the same').waitFor();
});

test('an admin sees people and tablets', async () => {
  const page = await pageOf('admin');
  await goTo(page, '/admin');
  await accessible(page, 'people');
  await keep(page, 'people');
  await goTo(page, '/field');
  await accessible(page, 'devices');
  await keep(page, 'devices');
  assert.ok((await page.locator('tbody tr').count()) >= 6, 'six tablets of the demonstration');
});
