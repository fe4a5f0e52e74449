// What the office does by itself: records that it makes, keys for its programs, edits that it repairs.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { accessible, api, close, fits, goTo, keep, mapOf, offences, PASSWORD, pageOf, SERVER, settled } from './support.mjs';
import { enrol, push } from './tablet.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

const shown = async (page) => {
  const panel = page.locator('.side.record');
  await panel.locator('.badge').first().waitFor();
  return new URLSearchParams((await page.evaluate(() => location.hash)).split('?')[1]).get('record');
};

test('an IM officer draws a hazardous area, is told what is missing, and puts it forward', async () => {
  const page = await mapOf('authority-im');
  await page.click('.map-tools button:has-text("New record")');
  const panel = page.locator('.side.record');
  await panel.getByLabel('Classification *').waitFor();
  await page.locator('.busy-drawing').waitFor();
  // Close enough for an orchard: what is drawn counts in every provisional figure that follows.
  for (let closer = 0; closer < 7; closer++) {
    await page.click('.maplibregl-ctrl-zoom-in');
    await settled(page);
  }
  const { x, y, width, height } = await page.locator('.map-canvas').boundingBox();
  for (const [right, down] of [
    [0.4, 0.5],
    [0.55, 0.48],
    [0.58, 0.62],
    [0.42, 0.64],
  ]) {
    await page.mouse.click(x + width * right, y + height * down);
    await page.waitForTimeout(400);
  }
  assert.equal((await panel.getByLabel('Places, one a line').inputValue()).split('\n').length, 4);
  await panel.getByRole('button', { name: 'Save as a draft' }).click();
  // The server says what is missing, and it stands at the fields.
  await panel.locator('.wrong').first().waitFor();
  assert.ok((await panel.locator('.wrong').count()) >= 3);
  assert.equal(await panel.locator('select[aria-invalid=true]').first().evaluate((one) => one === document.activeElement), true);
  await accessible(page, 'new record');
  await keep(page, 'create-faults');
  await panel.getByLabel('Classification *').selectOption('SHA');
  await panel.getByLabel('Status *').selectOption('open');
  await panel.getByLabel('Anti-personnel mines', { exact: true }).check();
  await panel.getByText('More fields').click();
  await panel.getByLabel('Name').first().fill('Orchard behind the school');
  await panel.getByRole('group', { name: 'Evidence' }).getByRole('button', { name: 'Add a row' }).click();
  await panel.getByRole('group', { name: 'Evidence' }).locator('select').first().selectOption('statement');
  await panel.getByLabel('Direct or indirect *').selectOption('indirect');
  await keep(page, 'create');
  await panel.getByRole('button', { name: 'Save as a draft' }).click();
  await panel.getByText('What it says').waitFor();
  const id = await shown(page);
  const made = await api('authority-im', `/v1/records/${id}`);
  assert.deepEqual([made.kind, made.stage, made.properties.classification], ['hazardous_area', 'draft', 'SHA']);
  assert.deepEqual(made.properties.contamination, ['ap_mine']);
  assert.equal(made.properties.evidence[0].kind, 'statement');
  assert.equal(made.geometry.coordinates[0].length, 5);
  await keep(page, 'create-made');
  await panel.getByRole('button', { name: 'Submit' }).click();
  await page.locator('dialog button[type=submit]').click();
  await panel.locator('.badges .badge', { hasText: 'Submitted' }).waitFor();
  assert.equal((await api('authority-im', `/v1/records/${id}`)).stage, 'submitted');
});

test('what is drawn has the clicks to itself', async () => {
  const page = await mapOf('authority-im');
  await page.click('.map-tools button:has-text("Measure")');
  await page.locator('.measuring').waitFor();
  await goTo(page, '/map?new=hazardous_area');
  const panel = page.locator('.side.record');
  await panel.getByLabel('Places, one a line').waitFor();
  await page.locator('.measuring').waitFor({ state: 'detached' });
  assert.equal(await page.locator('.map-tools button:has-text("Measure")').isDisabled(), true);
  await page.locator('.busy-drawing').waitFor();
  const { x, y, width, height } = await page.locator('.map-canvas').boundingBox();
  await page.mouse.click(x + width * 0.5, y + height * 0.5);
  await page.waitForTimeout(400);
  assert.equal((await panel.getByLabel('Places, one a line').inputValue()).split('\n').length, 1);
});

test('places are typed as people write them, without a mouse', async () => {
  const page = await mapOf('authority-im');
  await goTo(page, '/map?new=survey');
  const panel = page.locator('.side.record');
  await panel.getByLabel('Known by').selectOption('LineString');
  const places = panel.getByLabel('Places, one a line');
  const save = panel.getByRole('button', { name: 'Save as a draft' });
  await places.fill('5.9, -21.9\n5.8, -21.8');
  assert.equal(await save.isDisabled(), false);
  // A line that cannot be read takes no other line's place, however long one goes on writing.
  await places.fill('5.9, -21.9\nnowhere at all\n5.8, -21.8');
  await places.press('End');
  await places.press('Enter');
  await panel.getByLabel('Known by').focus();
  assert.match(await panel.locator('[role=alert]').textContent(), /^Line 2/);
  assert.equal(await save.isDisabled(), true);
  // The same place four times.
  await places.fill('5.900000, -21.900000\n05° 54′ 00.00″ N, 021° 54′ 00.00″ W\n27 N 400375 652231\n27N VG 00375 52230');
  await panel.getByLabel('Type *').selectOption({ index: 1 });
  await panel.getByLabel('Result *').selectOption({ index: 1 });
  // Other records are found by their references.
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1');
  const reference = features[0].properties.reference;
  await panel.getByText('More fields').press('Enter');
  await panel.getByRole('combobox', { name: 'Hazardous areas' }).fill(reference);
  await page.keyboard.press('Enter');
  await panel.locator('.referred', { hasText: reference }).waitFor();
  await accessible(page, 'new record with references');
  await keep(page, 'create-typed');
  await panel.getByRole('button', { name: 'Save and submit' }).press('Enter');
  await panel.locator('.badges .badge', { hasText: 'Submitted' }).waitFor();
  const made = await api('authority-im', `/v1/records/${await shown(page)}`);
  assert.equal(made.geometry.type, 'LineString');
  for (const [lon, lat] of made.geometry.coordinates) {
    assert.ok(Math.abs(lon + 21.9) < 2e-5 && Math.abs(lat - 5.9) < 2e-5, `${lon} ${lat}`);
  }
  assert.deepEqual(made.properties.hazardous_area_ids, [features[0].id]);
  assert.match(made.properties.as_entered.raw_text, /27N VG/, 'what was typed is kept');
});

test('the fields of a record are edited where it is read', async () => {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1');
  const [record] = features;
  const page = await pageOf('authority-im');
  await goTo(page, `/map?record=${record.id}`);
  await page.locator('.side.record').getByRole('button', { name: 'Edit', exact: true }).click();
  const dialog = page.locator('dialog');
  await dialog.getByText('More fields').click();
  await dialog.getByLabel('Name').first().fill('Known to the village as the old orchard');
  const classification = dialog.getByLabel('Classification *');
  const before = await classification.inputValue();
  await classification.selectOption('');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.locator('.wrong').first().waitFor();
  await classification.selectOption(before);
  await accessible(page, 'edit a record');
  await keep(page, 'edit-fields');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.locator('.side.record').getByText('Known to the village').first().waitFor();
  const now = await api('authority-im', `/v1/records/${record.id}`);
  assert.equal(now.properties.name, 'Known to the village as the old orchard');
  assert.equal(now.stage, 'draft');
  assert.equal(now.official, record.version, 'what was finalised counts until this is');
  const { name: _, ...others } = now.properties;
  const { name: __, ...same } = record.properties;
  assert.deepEqual(others, same, 'nothing else is touched');
});

test('a position is put right place by place, and the rest stays exactly what it was', async () => {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=50');
  const record = features.find(({ geometry }) => geometry?.type === 'Polygon' && geometry.coordinates.length === 1);
  const page = await pageOf('authority-im');
  await goTo(page, `/map?record=${record.id}`);
  await page.locator('.side.record').getByRole('button', { name: 'Edit', exact: true }).click();
  const dialog = page.locator('dialog');
  const places = dialog.getByLabel('Places, one a line');
  const [first, ...rest] = (await places.inputValue()).split('\n');
  const [lat, lon] = first.split(',').map(Number);
  await places.fill([`${(lat + 0.0001).toFixed(6)}, ${lon}`, 'somewhere else', ...rest].join('\n'));
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.locator('[role=alert]').first().waitFor();
  await places.fill([`${(lat + 0.0001).toFixed(6)}, ${lon}`, ...rest].join('\n'));
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  const now = await api('authority-im', `/v1/records/${record.id}`);
  const [ring, before] = [now.geometry.coordinates[0], record.geometry.coordinates[0]];
  assert.equal(ring.length, before.length);
  assert.deepEqual(ring.slice(1, -1), before.slice(1, -1));
  assert.ok(Math.abs(ring[0][1] - before[0][1] - 0.0001) < 2e-6);
  assert.deepEqual(now.properties, record.properties);
});

test('each role makes what it may make', async () => {
  const page = await mapOf('authority-qa');
  await goTo(page, '/map?new=hazardous_area');
  const kinds = page.locator('.side.record select').first();
  await kinds.waitFor();
  assert.deepEqual(await kinds.locator('option').allTextContents(), ['QM inspection']);
  await page.selectOption('.languages', 'ar');
  await settled(page);
  await fits(page, 'new record in Arabic');
  // In the words of the schema too.
  await page.getByLabel('التاريخ *').waitFor();
  await keep(page, 'create-arabic');
  const donor = await mapOf('observer');
  assert.equal(await donor.getByRole('button', { name: 'New record' }).count(), 0);
});

test('a map password is made, seen once, used by a program, and revoked', async () => {
  const page = await pageOf('authority-im');
  await page.getByRole('link', { name: 'Map passwords' }).click();
  await page.getByText('You have no map password.').waitFor();
  await accessible(page, 'map passwords');
  await page.getByRole('button', { name: 'Make a map password' }).click();
  await page.getByLabel('What for').fill('QGIS in the office');
  await page.getByLabel('Your own password').fill('not this one');
  await page.locator('dialog button[type=submit]').click();
  await page.locator('dialog [role=alert]').waitFor();
  await page.getByLabel('Your own password').fill(PASSWORD);
  await page.locator('dialog button[type=submit]').click();
  const password = (await page.locator('dialog .code').textContent()).trim();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.getByText('Copied').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), password);
  await keep(page, 'map-password-once');
  await page.keyboard.press('Escape');
  const basic = Buffer.from(`authority-im:${password}`).toString('base64');
  const ask = () => fetch(`${SERVER}/ogc/collections`, { headers: { authorization: `Basic ${basic}` } });
  assert.equal((await ask()).status, 200);
  await page.reload();
  const row = page.locator('tbody tr');
  assert.match(await row.textContent(), /QGIS in the office.*look/);
  assert.equal((await page.content()).includes(password), false, 'nobody is shown it twice');
  await accessible(page, 'a map password');
  await keep(page, 'map-passwords');
  await page.getByRole('button', { name: 'Make a map password' }).click();
  await page.getByLabel('What for').fill('A spreadsheet');
  await page.getByLabel('Your own password').fill(PASSWORD);
  await page.locator('dialog').getByLabel('May').selectOption('read_write');
  await page.locator('dialog button[type=submit]').click();
  await page.locator('dialog .code').waitFor();
  await page.keyboard.press('Escape');
  const other = page.locator('tr', { hasText: 'A spreadsheet' });
  assert.match(await other.textContent(), /look and write drafts.*never/);
  await other.getByRole('button', { name: 'Revoke' }).click();
  await page.locator('dialog button[type=submit]').click();
  await other.waitFor({ state: 'detached' });
  // An administrator sees whose there are, and ends them.
  const admin = await pageOf('admin');
  await goTo(admin, '/admin');
  const theirs = admin.locator('tr', { hasText: 'QGIS in the office' });
  assert.match(await theirs.textContent(), /authority-im/);
  await accessible(admin, 'everybody\'s map passwords');
  await keep(admin, 'map-passwords-of-all', { whole: true });
  await fits(admin, 'admin');
  await theirs.getByRole('button', { name: 'Revoke' }).click();
  await admin.locator('dialog button[type=submit]').click();
  await theirs.waitFor({ state: 'detached' });
  assert.equal((await ask()).status, 401);
});

test('an organisation is added, and only once', async () => {
  const name = `Demining ${Date.now()}`;
  const page = await pageOf('admin');
  await goTo(page, '/admin');
  const add = async () => {
    await page.getByRole('button', { name: 'Add an organisation' }).click();
    await page.locator('dialog').getByLabel('Name').fill(name);
    await page.locator('dialog button[type=submit]').click();
  };
  await add();
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Add an account' }).click();
  await page.locator('dialog').getByLabel('Organisation').selectOption({ label: name });
  await page.keyboard.press('Escape');
  await add();
  await page.locator('dialog [role=alert]').waitFor();
  await keep(page, 'organisation-twice');
});

test('administrative units come from a file, and a wrong file is refused', async () => {
  const page = await pageOf('authority-director');
  await goTo(page, '/admin');
  const file = page.getByLabel('Administrative units');
  const give = (text) =>
    file.setInputFiles({ name: 'units.geojson', mimeType: 'application/geo+json', buffer: Buffer.from(text) });
  await give('{"type": "FeatureColl');
  await page.locator('.settings [role=alert]').waitFor();
  const { admin_units, extent } = await api('authority-director', '/v1/programme');
  const { west, south, east, north } = extent;
  const geometry = { type: 'Polygon', coordinates: [[[west, south], [east, south], [east, north], [west, south]]] };
  const unit = { type: 'Feature', geometry, properties: { level: 3, code: 'XS-01-01-99', name: 'New commune' } };
  await give(JSON.stringify({ ...admin_units, features: [...admin_units.features, { ...unit, properties: {} }] }));
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.settings [role=alert]').waitFor();
  await keep(page, 'units-refused', { whole: true });
  await give(JSON.stringify({ ...admin_units, features: [...admin_units.features, unit] }));
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Discard the changes' }).waitFor({ state: 'detached' });
  const saved = (await api('authority-director', '/v1/programme')).admin_units.features;
  assert.equal(saved.length, admin_units.features.length + 1);
});

test('a quarantined edit is repaired and sent again', async () => {
  const tablet = await enrol('hima-surveyor-2', 'Tablet with an old form');
  const fields = { classification: 'SHA', status: 'opened', contamination: ['ap_mine'], date_identified: '2026-01-02' };
  const { record, outcome } = await push(tablet, 'hazardous_area', fields);
  assert.equal(outcome, 'quarantined');
  const page = await pageOf('authority-im');
  await goTo(page, '/field');
  const card = page.locator('.cards > li', { hasText: '/properties/status' }).first();
  await card.getByText('Repair and resubmit').click();
  const dialog = page.locator('dialog');
  await dialog.getByRole('button', { name: 'Resubmit' }).click();
  await dialog.locator('[role=alert]', { hasText: '/properties/status' }).waitFor();
  await accessible(page, 'repair');
  await keep(page, 'repair-refused');
  // What was sent stands there, said to be wrong; a change that is left out can be put back.
  const status = dialog.getByLabel('Status');
  assert.equal(await status.inputValue(), 'opened');
  assert.equal(await status.getAttribute('aria-invalid'), 'true');
  await status.selectOption('open');
  const contamination = dialog.locator('.changed', { hasText: 'Contamination' });
  await contamination.getByText('Leave this change out').click();
  await contamination.getByText('Put it back').click();
  await dialog.getByRole('button', { name: 'Resubmit' }).click();
  await dialog.waitFor({ state: 'detached' });
  const { properties } = await api('authority-im', `/v1/records/${record}`);
  assert.equal(properties.status, 'open');
  assert.deepEqual(properties.contamination, ['ap_mine']);
});

test('what cannot be loaded says so, and can be asked for again', async () => {
  const page = await pageOf('authority-im');
  await page.route('**/v1/quarantine', (route) => route.abort());
  const detail = 'the server cannot take this just now';
  await page.route('**/v1/parked', (route) =>
    route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ detail }) }),
  );
  await goTo(page, '/field');
  const faults = page.locator('.fault');
  await faults.nth(1).waitFor();
  assert.match(await faults.nth(1).textContent(), new RegExp(detail));
  await accessible(page, 'faults');
  await keep(page, 'faults');
  await page.unroute('**/v1/quarantine');
  await page.unroute('**/v1/parked');
  const again = faults.first().getByRole('button');
  // News has them asked for again, too: a button may be gone before it is pressed.
  while (await faults.count()) await again.click({ timeout: 2_000 }).then(() => settled(page), () => {});
  await page.locator('.cards, .empty').first().waitFor();
});
