// Every language has every word: of the console, and of the records' schemas.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, root)));
const languages = readdirSync(new URL('web/src/i18n/', root))
  .filter((name) => /^[a-z]+\.json$/.test(name) && name !== 'en.json')
  .map((name) => name.replace('.json', ''));

/** The texts for people in a schema, whatever they stand on. */
function* textsOf(node) {
  if (typeof node !== 'object' || node === null) return;
  if (typeof node['x-label'] === 'string') yield node['x-label'];
  yield* Object.values(node['x-labels'] ?? {});
  for (const part of Object.values(node)) yield* textsOf(part);
}

const schemas = readdirSync(new URL('schemas/', root), { recursive: true }).filter((name) => name.endsWith('.json'));
const texts = new Set(schemas.flatMap((name) => [...textsOf(read(`schemas/${name}`))]));

test('there are schemas and languages to compare', () => {
  assert.ok(texts.size > 300);
  assert.ok(languages.includes('ar'));
});

for (const language of languages) {
  test(`${language} has the words of the console`, () => {
    assert.deepEqual(Object.keys(read(`web/src/i18n/${language}.json`)), Object.keys(read('web/src/i18n/en.json')));
  });
  test(`${language} has the texts of the schemas, and no others`, () => {
    const known = read(`web/src/i18n/${language}.schema.json`);
    assert.deepEqual(Object.keys(known).sort(), [...texts].sort());
  });
}
