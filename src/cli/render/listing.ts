/** Lists of things: a table of chosen columns, JSON lines, or the user's template. */
import type { Field, Listing } from './listing-fields.ts';
import { renderTable } from './table.ts';

export interface ListingOptions {
  /** `--format`, or the configuration's; empty: the table. */
  format: string;
  /** Columns of the table. */
  columns: readonly string[];
  /** The only column of `--quiet`; undefined: not quiet. */
  quiet?: string;
}

/** Error: `invalid` for a template that is none, or that names an unknown field. */
export async function renderListing<Item>(
  listing: Listing<Item>,
  items: readonly Item[],
  options: ListingOptions,
): Promise<string> {
  const { format, columns, quiet } = options;
  if (format === '' || format === 'table') {
    const cells = (item: Item, names: readonly string[]): string[] =>
      names.map((name) => fieldOf(listing, name).text(item));
    if (quiet !== undefined) return items.map((item) => `${cells(item, [quiet])[0]}\n`).join('');
    return renderTable([
      columns.map((name) => fieldOf(listing, name).header),
      ...items.map((item) => cells(item, columns)),
    ]);
  }
  const templates = await import('./listing-template.ts');
  if (format === 'json') return items.map((item) => `${templates.rowJson(listing, item)}\n`).join('');
  return templates.renderTemplate(listing, items, format);
}

function fieldOf<Item>(listing: Listing<Item>, name: string): Field<Item> {
  return listing.fields[name] as Field<Item>;
}
