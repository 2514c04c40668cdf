/** `--format` of lists: JSON rows and templates. */
import { BerthError } from '../../api/errors.ts';
import { compileTemplate, TemplateError, unescapeFormat } from '../template/execute.ts';
import { rowText, toJson } from '../template/print.ts';
import type { Listing } from './listing-fields.ts';
import { renderTable } from './table.ts';

/** All fields by name, as Go's encoder writes them (`<`, `>` and `&` escaped). */
export function rowJson<Item>(listing: Listing<Item>, item: Item): string {
  const row: Record<string, unknown> = {};
  for (const name of Object.keys(listing.fields).sort()) {
    const field = listing.fields[name] as Listing<Item>['fields'][string];
    row[name] = field.json ? field.json(item) : field.text(item);
  }
  return escapeHtml(toJson(row));
}

function escapeHtml(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** @param wanted a template, `table` and a template, or `raw` */
export function renderTemplate<Item>(listing: Listing<Item>, items: readonly Item[], wanted: string): string {
  const format = wanted === 'raw' && listing.raw !== undefined ? listing.raw : wanted;
  const isTable = format.startsWith('table ');
  const source = unescapeFormat(isTable ? format.slice('table '.length) : format);
  try {
    const template = compileTemplate(source.trim() === '' ? source : isTable ? source.trim() : source);
    const execute = (row: object, forHeader: boolean): string =>
      template.execute(row, {
        forHeader,
        missingField: (name) => `can't evaluate field ${name} in type ${listing.type}`,
      });
    // A field that no row has is told without rows too.
    if (items.length === 0) checkFields(execute, listing);
    const lines = items.map((item) => execute(templateRow(listing, item), false));
    if (!isTable) return lines.map((line) => `${line}\n`).join('');
    const header = execute(headerRow(listing), true);
    return renderTable([header, ...lines].map((line) => line.split('\t')));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const problem = listing.templateProblem?.(error.phase) ?? 'template parsing error';
    throw new BerthError('invalid', `${problem}: ${error.message}`, { cause: error });
  }
}

function checkFields<Item>(execute: (row: object, forHeader: boolean) => string, listing: Listing<Item>): void {
  execute(headerRow(listing), true);
}

/** Fields are computed when the template asks for them. */
function templateRow<Item>(listing: Listing<Item>, item: Item): object {
  const row: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(listing.fields))
    Object.defineProperty(row, name, {
      get: () => (field.json ? field.json(item) : field.text(item)),
      enumerable: false,
    });
  if (listing.label) row['Label'] = (key: string) => listing.label?.(item, key) ?? '';
  Object.defineProperty(row, rowText, { value: () => rowJson(listing, item) });
  return row;
}

function headerRow<Item>(listing: Listing<Item>): object {
  const row: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(listing.fields)) row[name] = field.header;
  if (listing.label) row['Label'] = (key: string) => (key.split('.').at(-1) ?? key).replace(/[-_]/g, ' ');
  return row;
}
