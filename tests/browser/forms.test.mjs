// What is typed is what is stored: nothing else and nothing less.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { answer, edited, ITEM, make, newRecord, propertiesOf } from './records.mjs';
import { accessible, api, close, goTo, keep, mapOf, offences, pageOf, settled } from './support.mjs';
import { enrol, push } from './tablet.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

test('a number is stored as it was typed, a zero after the point too', async () => {
  const { page, panel, made, save } = await newRecord('eo_item');
  await panel.getByLabel('Known by').selectOption('');
  await panel.getByLabel('Category *').selectOption('ap_mine');
  await panel.getByLabel(/^Quantity \(/).pressSequentially('10');
  await panel.getByLabel('Found on *').fill('2026-01-02');
  await panel.getByLabel('Accuracy of the position').pressSequentially('0.05');
  const depth = panel.getByLabel('Depth at which it lay');
  await depth.pressSequentially('12.05');
  assert.equal(await depth.inputValue(), '12.05');
  // What is no number is not left out without a word, and a closed part of the form is opened to say so.
  await depth.press('End');
  await depth.pressSequentially('e');
  await panel.getByText('More fields').click();
  await save.click();
  await panel.locator('.wrong', { hasText: 'cannot be read' }).waitFor();
  assert.equal(await depth.evaluate((field) => field === document.activeElement), true);
  await accessible(page, 'a number that is none');
  assert.equal(await panel.evaluate((aside) => aside.scrollWidth <= aside.clientWidth), true, 'the form fits its panel');
  await keep(page, 'form-unreadable');
  await depth.press('End');
  await depth.press('Backspace');
  await save.click();
  const { depth_cm, geometry_accuracy_m, quantity } = await propertiesOf(await made());
  assert.deepEqual([depth_cm, geometry_accuracy_m, quantity], [12.05, 0.05, 10]);
});

test('a setting is a number as it was typed', async () => {
  const page = await pageOf('authority-director');
  await goTo(page, '/admin');
  const sliver = page.getByLabel('Sliver, m²');
  const before = await sliver.inputValue();
  await sliver.press('Control+a');
  await sliver.pressSequentially('1.05');
  assert.equal(await sliver.inputValue(), '1.05');
  await page.getByRole('button', { name: 'Discard the changes' }).click();
  assert.equal(await sliver.inputValue(), before);
});

test('a position that nobody types at stays exactly where it was', async () => {
  const disposal_point = [-21.900000123, 5.900000123, 312.5];
  const id = await make('authority-im', 'eo_item', { ...ITEM, disposal_point });
  const { page, dialog, save } = await edited(id);
  const place = dialog.getByRole('textbox', { name: 'Place of disposal Decimal' });
  await place.focus();
  await page.keyboard.press('Tab');
  await dialog.getByLabel('Depth at which it lay').pressSequentially('5');
  await save.click();
  await dialog.waitFor({ state: 'detached' });
  assert.deepEqual(await propertiesOf(id).then((now) => [now.depth_cm, now.disposal_point]), [5, disposal_point]);
});

test('a position that cannot be read is not saved as none, and one that can is taken by Enter', async () => {
  const disposal_point = [-21.9, 5.9];
  const id = await make('authority-im', 'eo_item', { ...ITEM, disposal_point });
  const { page, dialog, save } = await edited(id);
  const place = dialog.getByRole('textbox', { name: 'Place of disposal Decimal' });
  await place.press('Control+a');
  await place.pressSequentially('5.9, west');
  await save.click();
  await dialog.locator('.wrong', { hasText: 'no place that can be read' }).waitFor();
  await keep(page, 'form-no-position');
  assert.deepEqual((await propertiesOf(id)).disposal_point, disposal_point);
  await place.press('Control+a');
  await place.pressSequentially('5.8, -21.8');
  await place.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  assert.deepEqual((await propertiesOf(id)).disposal_point, [-21.8, 5.8]);
});

test('another record is attached when it is chosen, not while its name is typed', async () => {
  const hill = `Hill ${Date.now()}`;
  const area = { classification: 'SHA', status: 'open', contamination: ['ap_mine'], date_identified: '2026-01-02' };
  for (const name of [hill, `${hill}2`]) await make('authority-im', 'hazardous_area', { ...area, local_reference: name });
  const { page, panel, made, save } = await newRecord('survey');
  await panel.getByLabel('Known by').selectOption('');
  await panel.getByLabel('Type *').selectOption({ index: 1 });
  await panel.getByLabel('Result *').selectOption({ index: 1 });
  const areas = panel.getByRole('combobox', { name: 'Hazardous areas' });
  await areas.pressSequentially(hill);
  await page.locator(`datalist option[value="${hill}"]`).waitFor({ state: 'attached' });
  await page.waitForTimeout(500);
  assert.equal(await panel.locator('.referred').count(), 0, 'its typist has not come to an end');
  await areas.pressSequentially('2');
  await areas.press('Enter');
  await panel.locator('.referred', { hasText: `${hill}2` }).waitFor();
  // What nothing is called is not left out without a word.
  await areas.pressSequentially('Hill nowhere');
  await save.click();
  await panel.locator('.wrong', { hasText: 'No record' }).waitFor();
  await keep(page, 'form-no-record');
  await areas.press('Control+a');
  await areas.press('Backspace');
  await save.click();
  const { hazardous_area_ids } = await propertiesOf(await made());
  assert.equal(hazardous_area_ids.length, 1);
  assert.equal((await propertiesOf(hazardous_area_ids[0])).local_reference, `${hill}2`);
});

test('a group of which something is missing is gone to', async () => {
  const { panel, save } = await newRecord('hazardous_area');
  await panel.getByLabel('Known by').selectOption('');
  await panel.getByLabel('Classification *').selectOption('SHA');
  await panel.getByLabel('Status *').selectOption('open');
  await save.click();
  const group = panel.getByRole('group', { name: 'Contamination *' });
  await group.locator('.wrong').waitFor();
  const first = group.getByRole('checkbox').first();
  assert.equal(await first.evaluate((control) => control === document.activeElement), true);
});

test('a repair is not locked by a change that is left out', async () => {
  const tablet = await enrol('hima-surveyor-3', 'Tablet with rows of its own');
  const fields = {
    classification: 'SHA',
    status: 'opened',
    contamination: ['ap_mine'],
    date_identified: '2026-01-02',
    seen_from: 'the road',
  };
  const { record, outcome } = await push(tablet, 'hazardous_area', fields);
  assert.equal(outcome, 'quarantined');
  const page = await pageOf('authority-im');
  await goTo(page, '/field');
  await page.locator('.cards > li', { hasText: '/properties/status' }).first().getByText('Repair and resubmit').click();
  const dialog = page.locator('dialog');
  const send = dialog.getByRole('button', { name: 'Resubmit' });
  const raw = dialog.locator('.changed', { hasText: 'seen from' });
  await raw.locator('textarea').press('Control+a');
  await raw.locator('textarea').pressSequentially('the road');
  assert.equal(await send.isDisabled(), true);
  await raw.getByText('Leave this change out').click();
  assert.equal(await send.isDisabled(), false);
  await raw.getByText('Put it back').click();
  assert.match(await raw.locator('textarea').inputValue(), /the road/);
  assert.equal(await send.isDisabled(), false);
  const asked = answer(page, false);
  await page.keyboard.press('Escape');
  await asked;
  await dialog.getByLabel('Status').selectOption('open');
  await page.route('**/repair', async (route) => {
    await new Promise((go) => setTimeout(go, 1000));
    await route.continue();
  });
  await send.click();
  await dialog.getByRole('button', { name: 'Working' }).waitFor();
  await dialog.waitFor({ state: 'detached' });
  assert.deepEqual(await propertiesOf(record).then((now) => [now.status, now.seen_from]), ['open', 'the road']);
});

test('what could not be submitted says so, and no other draft does', async () => {
  const other = await make('authority-im', 'eo_item', { ...ITEM, local_reference: `Draft ${Date.now()}` });
  const { page, panel, made } = await newRecord('eo_item');
  await panel.getByLabel('Known by').selectOption('');
  await panel.getByLabel('Category *').selectOption('ap_mine');
  await panel.getByLabel(/^Quantity \(/).fill('1');
  await panel.getByLabel('Found on *').fill('2026-01-02');
  await page.route('**/stage', (route) => route.abort());
  await panel.getByRole('button', { name: 'Save and submit' }).click();
  const told = panel.getByText('could not be submitted');
  await made();
  await told.waitFor();
  await page.getByLabel('Find a reference or a name').fill(other);
  await page.locator('.find li button').first().click();
  await panel.getByText('Draft ').first().waitFor();
  assert.equal(await told.count(), 0);
});

test('editing is offered to whom the server lets do it, and to nobody else', async () => {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&limit=1000');
  const manager = (await api('admin', '/v1/accounts')).find(({ login }) => login === 'hima-manager');
  const known = features.filter((one) => one.stage === 'finalised' && !one.contested && !one.retired);
  const own = known.find(({ organisation }) => organisation === manager.organisation);
  const foreign = known.find(({ organisation }) => organisation !== manager.organisation);
  const disputed = features.find(({ contested }) => contested);
  const offered = {
    'authority-im': [
      [own, true],
      [disputed, false],
    ],
    'authority-qa': [[own, false]],
    'authority-director': [[own, false]],
    'hima-manager': [
      [own, true],
      [foreign, false],
    ],
    'hima-supervisor': [[own, false]],
  };
  for (const [login, records] of Object.entries(offered)) {
    const page = await pageOf(login);
    const panel = page.locator('.side.record');
    for (const [{ id }, isOffered] of records) {
      await goTo(page, `/map?record=${id}`);
      await panel.getByText('What it says').waitFor();
      await settled(page);
      const edit = panel.getByRole('button', { name: 'Edit', exact: true });
      const outline = page.locator('.map-tools').getByRole('button', { name: 'Edit the outline' });
      assert.deepEqual([await edit.count(), await outline.count()], Array(2).fill(Number(isOffered)), `${login}, ${id}`);
    }
    await page.context().close();
  }
});

test('an organisation is chosen by its name, and told by it', async () => {
  const page = await mapOf('authority-director');
  await goTo(page, '/map?new=task');
  const panel = page.locator('.side.record');
  await panel.getByLabel('Known by').selectOption('');
  await panel.getByLabel('Order number *').fill(`Order ${Date.now()}`);
  await panel.getByLabel('Activity *').selectOption({ index: 1 });
  await panel.getByText('More fields').click();
  const operator = panel.locator('select').and(panel.getByLabel(/^Operator/));
  await operator.locator('option').nth(1).waitFor({ state: 'attached' });
  const [id, name] = await operator.evaluate((select) => [select.options[1].value, select.options[1].text]);
  assert.doesNotMatch(name, /[\da-f]{8}-/);
  await operator.selectOption(id);
  await panel.getByRole('button', { name: 'Save as a draft' }).click();
  await panel.locator('.fields > div', { hasText: 'Operator' }).getByText(name, { exact: true }).waitFor();
});

test('a record whose first answer was lost is saved as it was corrected', async () => {
  const { page, panel, made, save } = await newRecord('eo_item');
  await panel.getByLabel('Known by').selectOption('');
  await panel.getByLabel('Category *').selectOption('ap_mine');
  await panel.getByLabel(/^Quantity \(/).fill('1');
  await panel.getByLabel('Depth at which it lay').fill('3');
  await panel.getByLabel('Found on *').fill('2026-01-02');
  const items = '**/ogc/collections/*/items';
  await page.route(items, async (route) => {
    await route.fetch();
    await route.abort();
  });
  await save.click();
  await panel.locator('.fault').waitFor();
  await page.unroute(items);
  await panel.getByLabel(/^Quantity \(/).fill('2');
  await panel.getByLabel('Depth at which it lay').fill('');
  await save.click();
  const { quantity, depth_cm } = await propertiesOf(await made());
  assert.deepEqual([quantity, depth_cm ?? null], [2, null]);
});
