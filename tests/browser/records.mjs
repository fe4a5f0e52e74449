// Records as the tests of forms need them: made beside the browser, and opened in it.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { api, goTo, mapOf, pageOf, SERVER, tokenOf } from './support.mjs';

/** Makes a draft beside the browser. */
export async function make(login, kind, properties, geometry = null) {
  const id = randomUUID();
  const answer = await fetch(`${SERVER}/ogc/collections/${kind}/items`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await tokenOf(login)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'Feature', id, geometry, properties }),
  });
  assert.equal(answer.status, 201, await answer.text());
  return id;
}

export const ITEM = { category: 'ap_mine', quantity: 1, found_date: '2026-01-02' };
export const propertiesOf = async (id) => (await api('authority-im', `/v1/records/${id}`)).properties;

/** The form of a new record, and what its address says once it is saved. */
export async function newRecord(kind) {
  const page = await mapOf('authority-im');
  await goTo(page, `/map?new=${kind}`);
  const panel = page.locator('.side.record');
  await panel.getByText('More fields').click();
  const made = async () => {
    await panel.getByText('What it says').waitFor();
    return new URLSearchParams((await page.evaluate(() => location.hash)).split('?')[1]).get('record');
  };
  return { page, panel, made, save: panel.getByRole('button', { name: 'Save as a draft' }) };
}

/** The dialog in which a record's fields are changed. */
export async function edited(id) {
  const page = await pageOf('authority-im');
  await goTo(page, `/map?record=${id}`);
  await page.locator('.side.record').getByRole('button', { name: 'Edit', exact: true }).click();
  const dialog = page.locator('dialog');
  await dialog.getByText('More fields').click();
  return { page, dialog, save: dialog.getByRole('button', { name: 'Save' }) };
}

/** Answers the next question of the page, and tells what was asked. */
export async function answer(page, yes) {
  const question = await page.waitForEvent('dialog');
  await (yes ? question.accept() : question.dismiss());
  return question.message();
}
