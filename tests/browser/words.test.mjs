// What pages say in words: places, days and names, in the reader's language and order.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ITEM, make } from './records.mjs';
import { api, close, fits, goTo, keep, offences, pageOf, settled } from './support.mjs';

after(close);
after(() => assert.deepEqual(offences, []));

const at = async () => {
  const { extent } = await api('authority-im', '/v1/programme');
  return [extent.west + 0.05, extent.south + 0.05];
};

/** A hazardous area with a reference point, known by a name. */
async function area(name) {
  const place = await at();
  const properties = {
    classification: 'SHA',
    status: 'open',
    contamination: ['ap_mine'],
    date_identified: '2026-01-02',
    reference_point: { position: place, description: 'The well' },
    name,
  };
  const corner = (east, north) => [place[0] + east, place[1] + north];
  const ring = [place, corner(0.001, 0), corner(0.001, 0.001), corner(0, 0.001), place];
  return make('authority-im', 'hazardous_area', properties, { type: 'Polygon', coordinates: [ring] });
}

const field = (page, label) => page.locator('.fields > div', { hasText: label }).locator('dd').first();

/** The leftmost x of each of some texts within an element, as they are laid out. */
const across = (element, texts) =>
  element.evaluate((known, wanted) => {
    const walker = document.createTreeWalker(known, NodeFilter.SHOW_TEXT);
    const places = new Map();
    while (walker.nextNode()) {
      for (const text of wanted) {
        const from = walker.currentNode.data.indexOf(text);
        if (from < 0) continue;
        const range = document.createRange();
        range.setStart(walker.currentNode, from);
        range.setEnd(walker.currentNode, from + text.length);
        places.set(text, range.getBoundingClientRect().left);
      }
    }
    return wanted.map((text) => places.get(text));
  }, texts);

test('a place in a field is written as the reader writes places, latitude first, in Arabic too', async () => {
  const id = await area('The hill');
  const [lon, lat] = (await at()).map((degrees) => degrees.toFixed(6));
  const page = await pageOf('authority-im');
  await goTo(page, `/map?record=${id}`);
  const said = field(page, 'Reference point');
  await said.waitFor();
  assert.match(await said.textContent(), new RegExp(`Position: ${lat}, ${lon}`));
  await page.selectOption('.languages', 'ar');
  await page.waitForSelector('html[dir=rtl]');
  assert.match(await page.title(), /[\u0600-\u06ff]/, 'the title of the page goes with its language');
  const arabic = page.locator('.fields dd', { hasText: lat });
  const [first, second] = await across(arabic, [lat, lon]);
  assert.ok(first < second, 'the latitude comes first, from left to right');
  const heading = page.locator('.ground h3');
  const today = (await heading.textContent()).match(/\d{4}-\d{2}-\d{2}/)[0];
  const [year, days] = await across(heading, [today.slice(0, 4), today.slice(5)]);
  assert.ok(year < days, 'a day is not turned round');
  // Latin text begins where the page's lines begin.
  const right = await arabic.evaluate((known) => getComputedStyle(known).textAlign);
  assert.equal(right, 'right');
  await keep(page, 'record-arabic');
});

test('a record is named where another names it', async () => {
  const id = await area('The far hill');
  const item = await make('authority-im', 'eo_item', { ...ITEM, hazardous_area_id: id });
  const page = await pageOf('authority-im');
  await goTo(page, `/map?record=${item}`);
  const link = page.locator('.fields').getByRole('link', { name: 'The far hill' });
  await link.waitFor();
  await keep(page, 'record-names');
  await page.locator('.side.record').getByRole('button', { name: 'Edit', exact: true }).click();
  await page.locator('dialog').getByText('More fields').click();
  await page.locator('dialog .referred', { hasText: 'The far hill' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await goTo(page, `/review?stage=draft&record=${item}`);
  await page.locator('.sides').getByRole('link', { name: 'The far hill' }).waitFor();
  await page.locator('.sides').getByRole('link', { name: 'The far hill' }).click();
  await page.locator('.side.record h2', { hasText: 'The far hill' }).waitFor();
});

test('conflicts and quarantined edits are told by their records’ names, and by who sent them', async () => {
  const page = await pageOf('authority-im');
  const [conflict] = (await api('authority-im', '/v1/conflicts')).conflicts;
  const { properties } = await api('authority-im', `/v1/records/${conflict.record_id}`);
  const name = properties.reference ?? properties.local_reference ?? properties.name;
  await goTo(page, '/conflicts');
  if (name) await page.locator('.list li', { hasText: name }).first().waitFor();
  await keep(page, 'conflict-names');
  const { quarantined } = await api('authority-im', '/v1/quarantine');
  const edit = quarantined.find(({ mutation }) => mutation.op === 'update');
  const of = (await api('authority-im', `/v1/records/${edit.record_id}`)).properties;
  const called = of.reference ?? of.local_reference ?? of.name;
  await goTo(page, '/field');
  const card = page.locator('.cards > li', { hasText: called });
  await card.waitFor();
  const sender = (await api('authority-im', '/v1/devices')).find(({ account }) => account === edit.author)?.person;
  if (sender) await card.getByText(sender).waitFor();
  await card.getByText('Repair and resubmit').click();
  await page.locator('dialog').getByText(called).waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.closest('dialog label') !== null);
  assert.ok(await focused(), 'a dialog begins in its first field');
  await keep(page, 'repair-names');
  await page.keyboard.press('Escape');
  await page.selectOption('.languages', 'ar');
  await page.waitForSelector('html[dir=rtl]');
  await keep(page, 'field-arabic');
});

test('ground behind a year is named, and says to which day', async () => {
  const page = await pageOf('authority-im');
  const year = new Date().getFullYear() - 1;
  await goTo(page, `/standing?as_of=${year}-06-30`);
  await page.locator(`.opener[aria-label^="${year}"]`).focus();
  await page.keyboard.press('Enter');
  const dialog = page.locator('dialog');
  await dialog.locator('h2', { hasText: `Ground behind ${year} to 30 June` }).waitFor();
  await settled(page);
  const known = dialog.locator('tbody a').first();
  const id = new URLSearchParams((await known.getAttribute('href')).split('?')[1]).get('record');
  const { properties } = await api('authority-im', `/v1/records/${id}`);
  assert.equal(await known.textContent(), properties.reference ?? properties.local_reference ?? properties.name);
  assert.ok((await dialog.locator('.key li').count()) > 0, 'its colours are explained');
  await keep(page, 'behind-running');
});

test('maps and figures beside a review say their day and their basis', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/review');
  const today = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date());
  await page.locator('.strip dt', { hasText: `Official, as of ${today}` }).waitFor();
  await goTo(page, '/conflicts');
  const caption = page.locator('.compared figcaption');
  await caption.getByText(`Official, as of ${today}`).waitFor();
  await caption.getByText('Suspected hazardous area').waitFor();
});

test('what is chosen in a conflict stays in its row, and stands out', async () => {
  const page = await pageOf('authority-im');
  await goTo(page, '/conflicts');
  await settled(page);
  await page.locator('.choice .choose input').nth(1).check();
  const cell = page.locator('.choice td.chosen').first();
  const { display, fontWeight } = await cell.evaluate((known) => {
    const { display, fontWeight } = getComputedStyle(known);
    return { display, fontWeight };
  });
  assert.equal(display, 'table-cell');
  assert.equal(fontWeight, '600');
  await keep(page, 'conflict-chosen', { whole: true });
});

test('administration fits a narrow window', async () => {
  const page = await pageOf('admin', { viewport: { width: 800, height: 900 } });
  await goTo(page, '/admin');
  await page.locator('tbody tr').first().waitFor();
  await fits(page, 'admin');
  const main = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.querySelector('main');
    return scrollWidth - clientWidth;
  });
  assert.ok(main <= 0, `its page scrolls sideways by ${main} px`);
  await keep(page, 'admin-narrow');
});

test('a keyboard goes on where a record was closed', async () => {
  const id = await make('authority-im', 'eo_item', ITEM);
  const page = await pageOf('authority-im');
  await goTo(page, `/map?record=${id}`);
  await page.locator('.side.record').getByRole('button', { name: 'Close' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.id === 'main');
});
