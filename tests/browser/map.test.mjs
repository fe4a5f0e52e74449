// The map: a hazard and its pieces, any day, paper – and nothing on the wire that a reader may not see.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import {
  accessible,
  api,
  close,
  fits,
  goTo,
  keep,
  keepBytes,
  offences,
  open,
  pageOf,
  picture,
  SERVER,
  PASSWORD,
  settled,
} from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

const m2 = (area) => `${new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 }).format(area)} m²`;
const drawn = (page) => page.waitForSelector('.maplibregl-canvas');
const inLegend = async (page, label) =>
  Number((await page.locator('.legend li', { has: page.getByText(label, { exact: true }) }).locator('small').textContent()).replace(/\D/g, ''));

/** A hazard of which a part is released and a part remains. */
async function partly() {
  const { features } = await api('authority-im', '/v1/ledger/pieces');
  const states = new Map();
  for (const { properties: piece } of features) {
    const known = states.get(piece.hazardous_area) ?? { released: 0, contaminated: 0 };
    known[piece.state] += 1;
    states.set(piece.hazardous_area, known);
  }
  const [id] = [...states].find(([, known]) => known.released > 0 && known.contaminated > 0);
  return id;
}

test('a hazard is found and shows its pieces', async () => {
  const hazard = await partly();
  const page = await pageOf('authority-im');
  await goTo(page, '/map');
  await drawn(page);
  await settled(page);
  await keep(page, 'map');
  await goTo(page, `/map?record=${hazard}`);
  const panel = page.locator('.side.record');
  await panel.locator('.pieces tbody tr').first().waitFor();
  const { features, total_m2 } = await api('authority-im', `/v1/ledger/pieces?hazard=${hazard}`);
  assert.equal(await panel.locator('.pieces tbody tr').count(), features.length);
  assert.equal(await panel.locator('.pieces tfoot td').textContent(), m2(total_m2));
  await panel.locator('.history li').first().waitFor();
  await page.waitForTimeout(1500);
  await settled(page);
  await accessible(page, 'map');
  await picture(page, 'hazard');
  // A click in the middle of the map, where the hazard lies, chooses it.
  await panel.getByLabel('Close').click();
  await page.waitForSelector('.side.record', { state: 'detached' });
  const canvas = await page.locator('.map-canvas').boundingBox();
  await page.mouse.click(canvas.x + canvas.width / 2, canvas.y + canvas.height / 2);
  await page.waitForSelector('.side.record');
});

test('a record is found by its reference, and its outline drawn anew as a draft', async () => {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1000');
  const simple = features.find(
    ({ geometry, contested }) => geometry?.type === 'Polygon' && geometry.coordinates.length === 1 && !contested,
  );
  const page = await pageOf('authority-im');
  await goTo(page, '/map');
  await drawn(page);
  await settled(page);
  await page.getByLabel('Find a reference or a name').fill(simple.properties.reference.slice(-5));
  await page.locator('.find li', { hasText: simple.properties.reference }).first().click();
  await page.waitForFunction((id) => location.hash.includes(id), simple.id);
  await page.waitForTimeout(1500);
  await settled(page);
  await page.click('.map-tools button:has-text("Edit the outline")');
  await page.locator('.editing form').waitFor();
  await keep(page, 'map-edit');
  const save = page.locator('.editing button[type=submit]');
  assert.equal(await save.isDisabled(), true, 'nothing is changed yet');
  await page.click('.editing button:has-text("Draw anew")');
  const { x, y, width, height } = await page.locator('.map-canvas').boundingBox();
  for (const [right, down] of [
    [0.45, 0.4],
    [0.6, 0.42],
    [0.58, 0.6],
    [0.44, 0.58],
    [0.44, 0.58],
  ]) {
    await page.mouse.move(x + width * right, y + height * down, { steps: 4 });
    await page.mouse.click(x + width * right, y + height * down);
    await page.waitForTimeout(500);
  }
  await page.locator('.editing input').fill('Walked around it again with a differential receiver.');
  await keep(page, 'map-drawn');
  await save.click();
  await page.locator('.editing').waitFor({ state: 'detached' });
  const after = await api('authority-im', `/v1/records/${simple.id}`);
  assert.notDeepEqual(after.geometry, simple.geometry);
  assert.equal(after.geometry.coordinates[0].length, 5);
  assert.deepEqual([after.stage, after.official], ['draft', simple.version], 'what is official stays');
});

test('the slider shows the ground of any day', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/map');
  await drawn(page);
  await settled(page);
  const now = await inLegend(page, 'Cleared');
  const slider = page.locator('.slider input[type=range]');
  await slider.focus();
  // Home is the oldest day, before anything was released.
  await page.keyboard.press('Home');
  await page.waitForFunction(() => location.hash.includes('as_of='));
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.legend li')].some((row) => /^Cleared\s*0$/.test(row.textContent.trim())),
  );
  await settled(page);
  assert.equal(await inLegend(page, 'Cleared'), 0);
  const day = `${new Date().getFullYear() - 2}-12-31`;
  await goTo(page, `/map?as_of=${day}`);
  const { features } = await api('authority-im', `/v1/ledger/pieces?as_of=${day}`);
  const releases = features.filter(({ properties }) => properties.result === 'cleared');
  const then = new Set(releases.map(({ properties }) => properties.land_release)).size;
  await page.waitForFunction(
    (wanted) => [...document.querySelectorAll('.legend li')].some((row) => row.textContent.startsWith('Cleared') && row.textContent.endsWith(String(wanted))),
    then,
  );
  assert.ok(then > 0 && then < now, `${then} then, ${now} now`);
  await keep(page, 'map-earlier');
});

test('layers, filters, coordinates and measures', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/map');
  await drawn(page);
  await settled(page);
  await page.locator('.legend label', { hasText: 'EO finds' }).click();
  await page.getByLabel('Only what is contested').check();
  await page.getByLabel('Only what is contested').uncheck();
  const output = page.locator('.readout output');
  for (const [format, form] of [
    ['dd', /^-?\d+\.\d{6}, -?\d+\.\d{6}$/],
    ['dms', /\d+° \d+′ [\d.]+″ [NS], \d+° \d+′ [\d.]+″ [EW]/],
    ['utm', /^\d{2} [NS] \d+ \d+$/],
    ['mgrs', /^\d{2}[A-Z] [A-Z]{2} \d{5} \d{5}$/],
  ]) {
    await page.selectOption('.readout select', format);
    assert.match(await output.textContent(), form, format);
  }
  await page.click('.map-tools button:has-text("Measure")');
  // A click before that would be about the ground.
  await page.locator('.busy-drawing').waitFor();
  const { x, y, width, height } = await page.locator('.map-canvas').boundingBox();
  for (const [right, down] of [
    [0.4, 0.4],
    [0.6, 0.4],
    [0.6, 0.6],
  ]) {
    await page.mouse.click(x + width * right, y + height * down);
    await page.waitForTimeout(400);
  }
  const measuring = page.locator('.measuring');
  assert.match(await measuring.textContent(), /Not for safety use/);
  assert.match(await measuring.locator('dd').nth(2).textContent(), /^[\d,]+ m²$/);
  assert.match(await measuring.locator('dd').nth(1).textContent(), /^(17\d|18\d)\.\d°$/, 'the last leg runs south');
  await keep(page, 'map-measure');
});

test('it prints with scale, north, legend, day and basis', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/map');
  await drawn(page);
  await settled(page);
  await page.click('.map-tools button:has-text("Print")');
  await page.getByLabel('Heading').fill('Hazardous areas of the Sample Republic');
  await page.waitForSelector('.sheet[aria-busy=false] .sheet-legend');
  await page.waitForTimeout(2500);
  const sheet = page.locator('.sheet');
  const text = await sheet.textContent();
  for (const said of [/As of/, /Official/, /WGS 84/, /No record is not evidence/, /Confirmed hazardous area/]) {
    assert.match(text, said);
  }
  assert.ok(await sheet.locator('.north').isVisible());
  await accessible(page, 'map on paper');
  await keep(page, 'map-sheet');
  for (const paper of ['a4-landscape', 'a3-portrait']) {
    await page.selectOption('.sheet-tools select', paper);
    await page.waitForTimeout(2500);
    const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
    keepBytes(`map-${paper}.pdf`, pdf);
    const told = pdf.toString('latin1');
    assert.equal(told.match(/\/Type\s*\/Page\b/g).length, 1, `${paper} is one page`);
    const [, , , width, height] = told.match(/\/MediaBox\s*\[([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+)\]/);
    const size = paper === 'a4-landscape' ? [842, 595] : [842, 1191];
    assert.ok(Math.abs(width - size[0]) < 3 && Math.abs(height - size[1]) < 3, `${paper}: ${width} × ${height}`);
  }
});

test('what the map shows is saved as a file', async () => {
  const page = await pageOf('authority-im');
  const day = `${new Date().getFullYear() - 1}-12-31`;
  await goTo(page, `/map?as_of=${day}`);
  await drawn(page);
  await settled(page);
  await page.click('.map-tools button:has-text("Save as a file")');
  const dialog = page.locator('dialog');
  await dialog.getByLabel('Format').selectOption('csv');
  await accessible(page, 'map save');
  await keep(page, 'map-save');
  const coming = page.waitForEvent('download');
  await dialog.locator('button[type=submit]').click();
  const file = await coming;
  assert.match(file.suggestedFilename(), /^remaining.*\.csv$/);
  const text = readFileSync(await file.path(), 'utf8');
  const { features } = await api('authority-im', `/ogc/collections/remaining/items?as_of=${day}&limit=10000`);
  assert.equal(text.trim().split('\n').length, features.length + 1, 'a row for each area, and their names');
  assert.ok(text.includes(day) && text.includes('MULTIPOLYGON'));
  await dialog.waitFor({ state: 'detached' });
});

test('records are saved as they stand, whichever day the map shows', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, `/map?as_of=${new Date().getFullYear() - 1}-12-31`);
  await drawn(page);
  await settled(page);
  await page.click('.map-tools button:has-text("Save as a file")');
  const dialog = page.locator('dialog');
  await dialog.getByText(/At the end of .*; ground: Official/).waitFor();
  await dialog.locator('select').first().selectOption('hazardous_area');
  await dialog.getByText('As the records stand today, whichever day the map shows.').waitFor();
  assert.equal(await dialog.getByText('Official').count(), 0);
  await dialog.getByLabel('Format').selectOption('csv');
  await keep(page, 'map-save-records');
  const coming = page.waitForEvent('download');
  await dialog.locator('button[type=submit]').click();
  const text = readFileSync(await (await coming).path(), 'utf8');
  const { features } = await api('authority-im', '/ogc/collections/hazardous_area/items?limit=10000');
  const references = features.flatMap(({ properties }) => properties.reference ?? []);
  assert.ok(references.length > 0);
  assert.deepEqual(references.filter((reference) => !text.includes(reference)), []);
});

test('donors never receive an exact outline of uncleared ground', async () => {
  const hazards = (await api('authority-im', '/v1/records?kind=hazardous_area&limit=1000')).features;
  const corners = new Set();
  const visit = (coordinates) => {
    if (typeof coordinates[0] === 'number') corners.add(coordinates.join());
    else coordinates.forEach(visit);
  };
  for (const { geometry } of hazards) if (geometry?.coordinates) visit(geometry.coordinates);
  const released = (await api('observer', '/v1/records?kind=land_release&limit=1000')).features;
  const public_ = new Set();
  const known = (coordinates) => {
    if (typeof coordinates[0] === 'number') public_.add(coordinates.join());
    else coordinates.forEach(known);
  };
  for (const { geometry } of released) if (geometry?.coordinates) known(geometry.coordinates);

  const page = await open();
  const bodies = [];
  page.on('response', (answer) => {
    // The stream of news never ends; it holds numbers (tests/it/console.rs).
    if (!answer.url().endsWith('/v1/events')) bodies.push(answer.text().catch(() => ''));
  });
  await page.goto(SERVER);
  await page.fill('input[name=login]', 'observer');
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
  await page.waitForSelector('.bar');
  await goTo(page, '/standing');
  await goTo(page, '/map');
  await drawn(page);
  await settled(page);
  await keep(page, 'map-observer');
  assert.ok((await inLegend(page, 'Cleared')) > 0, 'released ground is shown');
  assert.equal(await page.getByText('Confirmed hazardous area (CHA)').count(), 0);
  assert.ok(await page.locator('.map-notes').getByText('Hazardous areas are not shown to your role').isVisible());
  await goTo(page, `/map?record=${hazards[0].id}`);
  await page.waitForSelector('.side.record [role=alert]');
  const received = (await Promise.all(bodies)).join('\n');
  assert.ok(received.includes('"land_release"'), 'the test sees what came');
  const leaked = new Set();
  for (const [, lon, lat] of received.matchAll(/\[(-?\d+\.\d+),(-?\d+\.\d+)\]/g)) {
    const corner = `${Number(lon)},${Number(lat)}`;
    // A release ends where its area ends: such a corner is public.
    if (corners.has(corner) && !public_.has(corner)) leaked.add(corner);
  }
  assert.deepEqual([...leaked], []);
  assert.ok(corners.size > 1000, `${corners.size} corners were looked for`);
});

test('it fits a 10-inch tablet, in Arabic too', async () => {
  const page = await pageOf('authority-im', { viewport: { width: 1280, height: 800 } });
  await page.selectOption('.languages', 'ar');
  await goTo(page, '/map');
  await drawn(page);
  await settled(page);
  await fits(page, 'map in Arabic');
  // The map's own buttons too.
  for (const button of ['zoom-in', 'zoom-out', 'attrib-button']) {
    const said = await page.locator(`.maplibregl-ctrl-${button}`).getAttribute('aria-label');
    assert.match(said, /[\u0600-\u06ff]/, button);
  }
  await keep(page, 'map-arabic');
});
