// What the symbols of the map are called.

import { language, t, word } from '../i18n';
import { RESULTS } from '../symbology';
import type { Filter } from './filter';

const GROUND_CLASSES = ['cha', 'sha'];

/** A class, a result or a kind of points, in the reader's language. */
export function nameOfSymbol(name: string): string {
  if (name === 'contested') return t('contested');
  if (name === 'hazardous_area') return t('map.point_only');
  if (GROUND_CLASSES.includes(name)) return word('class', name);
  return word((RESULTS as readonly string[]).includes(name) ? 'result' : 'kinds', name);
}

const list = (names: string[]) => new Intl.ListFormat(language.value.locale).format(names);

/** What a filter keeps from a map: on paper nobody sees its switches. */
export function saidOf(filter: Filter, organisations: ReadonlyMap<string, string>): string[] {
  const { hidden, contestedOnly, organisation } = filter;
  const said: string[] = [];
  if (contestedOnly) said.push(t('map.contested_only'));
  if (organisation) said.push(t('sheet.only_of', { name: organisations.get(organisation) ?? organisation }));
  if (hidden.size > 0) said.push(t('sheet.hidden', { names: list([...hidden].map(nameOfSymbol)) }));
  return said;
}
