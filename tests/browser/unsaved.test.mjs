// What has been typed is not thrown away unasked.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { answer, edited, ITEM, make, newRecord } from './records.mjs';
import { api, close, goTo, offences, PASSWORD, pageOf, SERVER, settled, tokenOf } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

test('a new record is not thrown away unasked, whatever leads away from it', async () => {
  const { page, panel, made, save } = await newRecord('survey');
  await goTo(page, '/map');
  await goTo(page, '/map?new=survey');
  await panel.getByLabel('Type *').selectOption({ index: 1 });
  const places = panel.getByLabel('Places, one a line');
  await panel.getByLabel('Known by').selectOption('LineString');
  await places.fill('5.9, -21.9\n5.8, -21.8');
  // Another shape keeps what was typed.
  await panel.getByLabel('Known by').selectOption('');
  await panel.getByLabel('Known by').selectOption('LineString');
  assert.match(await places.inputValue(), /5\.8, -21\.8/);
  const here = page.url();
  const ways = {
    'another page': () => page.getByRole('link', { name: 'Review' }).click(),
    'the way back': () => page.evaluate(() => history.back()),
    '✕': () => panel.getByRole('button', { name: 'Close' }).click(),
    cancelling: () => panel.getByRole('button', { name: 'Cancel' }).click(),
    'another kind': () => panel.getByLabel('Kind').selectOption('hazardous_area'),
    'logging out': () => page.getByRole('button', { name: 'Log out' }).click(),
  };
  for (const [name, leave] of Object.entries(ways)) {
    const asked = answer(page, false).catch(() => 'nothing');
    await leave();
    assert.match(await asked, /Leave without saving/, name);
    await page.waitForTimeout(200);
    assert.equal(page.url(), here, name);
    assert.equal(await panel.getByLabel('Kind').inputValue(), 'survey', name);
    assert.match(await places.inputValue(), /5\.8, -21\.8/, name);
  }
  // Saving asks nothing.
  await panel.getByLabel('Result *').selectOption({ index: 1 });
  let questions = 0;
  page.on('dialog', (question) => {
    questions += 1;
    return question.dismiss();
  });
  await save.click();
  await made();
  await goTo(page, '/review');
  assert.equal(questions, 0);
});

test('who says yes leaves', async () => {
  const { page, panel } = await newRecord('survey');
  await panel.getByLabel('Type *').selectOption({ index: 1 });
  const asked = answer(page, true);
  await panel.getByLabel('Kind').selectOption('hazardous_area');
  await asked;
  await panel.getByLabel('Classification *').waitFor();
  await page.getByRole('link', { name: 'Review' }).click();
  await panel.waitFor({ state: 'detached' });
});

test('a dialog in which something is typed asks before it closes', async () => {
  const id = await make('authority-im', 'eo_item', ITEM);
  const { page, dialog } = await edited(id);
  const depth = dialog.getByLabel('Depth at which it lay');
  await depth.pressSequentially('5');
  for (let times = 0; times < 3; times++) {
    const asked = answer(page, false);
    await page.keyboard.press('Escape');
    assert.match(await asked, /Leave without saving/);
    await page.waitForTimeout(200);
    assert.equal(await dialog.isVisible(), true);
    assert.equal(await depth.inputValue(), '5');
  }
  const asked = answer(page, true);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await asked;
  await dialog.waitFor({ state: 'detached' });
  // Nothing typed, nothing asked.
  await page.locator('.side.record').getByRole('button', { name: 'Edit', exact: true }).click();
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
});

test('what is being done is waited for: a new password is set once and shown once', async () => {
  const page = await pageOf('admin');
  await goTo(page, '/admin');
  const row = page.locator('tr', { hasText: 'tern-surveyor-3' });
  await row.getByText('New password').click();
  const dialog = page.locator('dialog');
  await page.route('**/v1/accounts/**', async (route) => {
    await new Promise((go) => setTimeout(go, 1500));
    await route.continue();
  });
  await dialog.locator('button[type=submit]').click();
  await dialog.getByText('Working').waitFor();
  for (let times = 0; times < 3; times++) await page.keyboard.press('Escape');
  await dialog.getByLabel('Close').click();
  await dialog.locator('.code').waitFor();
});

test('an outline that is being drawn is not thrown away unasked', async () => {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=50');
  const [one, other] = features.filter(({ geometry, contested }) => geometry?.type === 'Polygon' && !contested);
  const page = await pageOf('authority-im');
  await goTo(page, `/map?record=${one.id}`);
  const tools = page.locator('.map-tools');
  await tools.getByRole('button', { name: 'Edit the outline' }).click();
  const editor = page.locator('.editing form');
  await editor.getByRole('button', { name: 'Draw another part' }).click();
  await page.getByLabel('Find a reference or a name').fill(other.id);
  const ways = {
    measuring: () => tools.getByRole('button', { name: 'Measure' }).click(),
    'a new record': () => tools.getByRole('button', { name: 'New record' }).click(),
    'another record': () => page.locator('.find li button').first().click(),
    'closing the record': () => page.locator('.side.record').getByRole('button', { name: 'Close' }).click(),
    cancelling: () => editor.getByRole('button', { name: 'Cancel' }).click(),
  };
  for (const [name, leave] of Object.entries(ways)) {
    const asked = answer(page, false).catch(() => 'nothing');
    await leave();
    assert.match(await asked, /Leave without saving/, name);
    assert.equal(await editor.isVisible(), true, name);
  }
  const asked = answer(page, true);
  await ways.measuring();
  await asked;
  await editor.waitFor({ state: 'detached' });
});

test('a reason that was typed is not thrown away unasked', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/conflicts');
  await page.locator('.list li').first().waitFor();
  await goTo(page, '/review');
  const here = page.url();
  await page.click('.detail .actions button:has-text("Return")');
  const text = page.locator('dialog textarea');
  await text.fill('The fade-out distance is missing.');
  const ways = {
    Escape: () => page.keyboard.press('Escape'),
    cancelling: () => page.locator('dialog').getByRole('button', { name: 'Cancel' }).click(),
    'the way back': () => page.evaluate(() => history.back()),
  };
  for (const [name, leave] of Object.entries(ways)) {
    const asked = answer(page, false).catch(() => 'nothing');
    await leave();
    assert.match(await asked, /Leave without saving/, name);
    await page.waitForFunction((address) => location.href === address, here);
    assert.equal(await text.inputValue(), 'The fade-out distance is missing.', name);
  }
  const asked = answer(page, true);
  await ways.Escape();
  await asked;
  await text.waitFor({ state: 'detached' });
});

test('what a settlement or an account begins with is not thrown away unasked', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/conflicts');
  await page.locator('.decide textarea').fill('The team saw the place again');
  const asked = answer(page, false);
  await page.getByRole('link', { name: 'Review' }).click();
  assert.match(await asked, /Leave without saving/);
  assert.equal(await page.locator('.decide textarea').inputValue(), 'The team saw the place again');
  const people = await pageOf('admin');
  await goTo(people, '/admin');
  await people.getByRole('button', { name: 'Add an account' }).click();
  await people.locator('dialog').getByLabel('Log-in').fill('somebody');
  const again = answer(people, false);
  await people.keyboard.press('Escape');
  assert.match(await again, /Leave without saving/);
  assert.equal(await people.locator('dialog').getByLabel('Log-in').inputValue(), 'somebody');
});

/** Changes the programme beside the browser. */
async function renameProgramme(name) {
  const authorization = `Bearer ${await tokenOf('authority-director')}`;
  const programme = { ...(await api('authority-director', '/v1/programme')), name };
  const headers = { authorization, 'content-type': 'application/json', 'if-match': '*' };
  const told = await fetch(`${SERVER}/v1/programme`, { method: 'PUT', headers, body: JSON.stringify(programme) });
  assert.ok(told.ok, await told.text());
}

test('settings that somebody else has changed meanwhile are shown anew only when asked', async () => {
  const { name } = await api('authority-director', '/v1/programme');
  const page = await pageOf('authority-director');
  await goTo(page, '/admin');
  const field = page.locator('.settings').getByLabel('Name').first();
  await field.fill('Typed here');
  await renameProgramme('Changed elsewhere');
  const save = page.locator('.settings').getByRole('button', { name: 'Save' });
  await save.click();
  await page.locator('.settings .fault').waitFor();
  const anew = page.getByRole('button', { name: 'Show the settings as they stand now' });
  const first = answer(page, false);
  await anew.click();
  await first;
  assert.equal(await field.inputValue(), 'Typed here');
  const second = answer(page, true);
  await anew.click();
  await second;
  await page.waitForFunction(() => document.querySelector('.settings input')?.value === 'Changed elsewhere');
  await field.fill('Typed again');
  await renameProgramme(name);
  await save.click();
  await page.locator('.settings .fault').waitFor();
  await page.getByRole('button', { name: 'Discard the changes' }).click();
  await page.locator('.settings .fault').waitFor({ state: 'detached' });
  await page.waitForFunction((known) => document.querySelector('.settings input')?.value === known, name);
});

test('settings that are being typed outlive a session that ends, whatever others save', async () => {
  const { name } = await api('authority-director', '/v1/programme');
  const page = await pageOf('authority-director');
  await goTo(page, '/admin');
  const field = page.locator('.settings').getByLabel('Name').first();
  await field.fill('Typed here');
  await page.context().clearCookies();
  await page.evaluate(() => new BroadcastChannel('cartagena-session').postMessage(null));
  const door = page.locator('dialog.door');
  await door.waitFor();
  await renameProgramme('Changed elsewhere');
  await door.locator('input[name=password]').fill(PASSWORD);
  await door.locator('button[type=submit]').click();
  await door.waitFor({ state: 'detached' });
  await settled(page);
  assert.equal(await field.inputValue(), 'Typed here');
  await renameProgramme(name);
});
