// Places as people type them: what is read, what is not, and what lies elsewhere; and as a record shows its own.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { accessible, api, close, goTo, keep, offences, pageOf, settled } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

const SYRIA = { west: 35.6, south: 32.3, east: 42.4, north: 37.4 };
const ZIMBABWE = { west: 25.2, south: -22.5, east: 33.1, north: -15.6 };

/** The form of a new area in the programme of a country; nothing that it saves is written. */
async function formIn(extent) {
  const page = await pageOf('authority-im');
  await page.route('**/v1/programme', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), extent } });
  });
  let sent = null;
  await page.route('**/ogc/collections/hazardous_area*/items', (route) => {
    sent = route.request().postDataJSON();
    return route.fulfill({ status: 422, json: { title: 'Not here.' } });
  });
  await page.reload();
  await page.waitForSelector('.bar');
  await goTo(page, '/map?new=hazardous_area');
  await settled(page);
  const places = page.getByLabel('Places, one a line');
  const save = page.locator('.side.record button.primary');
  return {
    page,
    /** The place that a line is; nothing where it is none. */
    async read(line) {
      await page.locator('.side.record').getByLabel('Known by').selectOption('Point');
      await places.fill(line);
      await places.blur();
      if (await save.isDisabled()) return null;
      sent = null;
      await save.click();
      await page.waitForFunction(() => !document.querySelector('.side.record .busy'));
      return sent.geometry.coordinates;
    },
  };
}

const near = ([lon, lat], place, said) =>
  assert.ok(Math.abs(lon - place[0]) < 1e-3 && Math.abs(lat - place[1]) < 1e-3, `${said}: ${lon}, ${lat}`);

test('a line that lacks a digit, or could be two places, is none', async () => {
  const { page, read } = await formIn(SYRIA);
  for (const line of [
    '37S CL 1234567',
    '37S CL 12345 6789',
    '37S CL 123 45678',
    '34 75 00 N, 37 10 00 E',
    '34 10 60 N, 37 10 00 E',
    '34.5 30 N, 37 10 00 E',
    '34 10 00 N, 37 10 00 N',
    '-34 N, 37 E',
    '34 10 00 37',
    'about 34, 37',
    // Seconds without minutes, and minutes without degrees.
    '34°10″ N, 37°10′ E',
    '10′ N, 37° E',
    '34′10° N, 37°10′ E',
    '37 S 60000 4000000',
    // Neither the band nor the hemisphere is in the country.
    '40 S 600000 4000000',
    '37 S 600000 1000000',
  ]) {
    assert.equal(await read(line), null, line);
  }
  await page.locator('.side.record .wrong').getByText('Line 1').waitFor();
});

test('what people write is the place that they mean', async () => {
  const { page, read } = await formIn(SYRIA);
  for (const [line, place] of [
    ['34.5, 37.25', [37.25, 34.5]],
    ['34.5 37.25', [37.25, 34.5]],
    ['37.25E 34.5N', [37.25, 34.5]],
    ['N 34 30 00 E 37 15 00', [37.25, 34.5]],
    ['34° 30′ 00.00″ N, 037° 15′ 00.00″ E', [37.25, 34.5]],
    ['34°30\'00"N 37°15\'00"E', [37.25, 34.5]],
    ['37S CU 39335 18987', [37.25, 34.5]],
    ['37SCU3933518987', [37.25, 34.5]],
    ['37 N 339335 3818987', [37.25, 34.5]],
    // The band from 32° to 40° N, not the southern hemisphere.
    ['37 S 339335 3818987', [37.25, 34.5]],
  ]) {
    const found = await read(line);
    assert.ok(found, line);
    near(found, place, line);
    assert.equal(await page.locator('.side.record .note.bad').count(), 0, `${line} lies in the country`);
  }
  near(await read('37.25, 34.5'), [34.5, 37.25], 'as it stands');
  await page.locator('.side.record .note.bad').getByText('Line 1 lies outside').waitFor();
  await keep(page, 'create-elsewhere');
});

test('S is the southern hemisphere where the country is there', async () => {
  const { read } = await formIn(ZIMBABWE);
  near(await read('36 S 290123 8030833'), [31.02, -17.8], 'the southern hemisphere');
});

/** A hazard of some shape, and its record beside the map. */
async function recordOf(shape) {
  const { features } = await api('authority-im', '/v1/records?kind=hazardous_area&stage=finalised&limit=1000');
  const hazard = features.find(({ geometry }) => geometry?.type === shape);
  const page = await pageOf('authority-im', { permissions: ['clipboard-read', 'clipboard-write'] });
  await goTo(page, `/map?record=${hazard.id}`);
  await page.locator('.position').waitFor();
  await settled(page);
  return { hazard, page, position: page.locator('.position'), copied: () => page.evaluate(() => navigator.clipboard.readText()) };
}

test('a record’s place is read and copied in the reader’s own form', async () => {
  const { page, position, copied } = await recordOf('Point');
  await position.getByText('Position', { exact: true }).waitFor();
  await page.selectOption('.readout select', 'mgrs');
  const said = await position.locator('.place span').first().textContent();
  assert.match(said, /^\d{2}[A-Z] [A-Z]{2} \d{5} \d{5}$/);
  await position.getByRole('button', { name: 'Copy' }).click();
  await position.getByText('Copied').waitFor();
  assert.equal(await copied(), said);
});

test('an outline’s corners are copied, one a line', async () => {
  const { hazard, page, position, copied } = await recordOf('Polygon');
  const corners = hazard.geometry.coordinates.flatMap((ring) => ring.slice(0, -1));
  await position.getByText(`${corners.length} corners`).click();
  await position.getByRole('button', { name: 'Copy all corners' }).click();
  const lines = (await copied()).split('\n').filter((line) => line !== '');
  assert.equal(lines.length, corners.length);
  const [lat, lon] = lines[0].split(', ').map(Number);
  assert.ok(Math.abs(lon - corners[0][0]) < 1e-6 && Math.abs(lat - corners[0][1]) < 1e-6, lines[0]);
  await accessible(page, 'corners');
  await keep(page, 'record-corners');
});
