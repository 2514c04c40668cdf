/** What a list shows of each thing, by the names that `--format` gives. */

export interface Field<Item> {
  header: string;
  text(item: Item): string;
  /** In JSON, where it is no text. */
  json?(item: Item): unknown;
}

export interface Listing<Item> {
  /** Go's name of a row's type, for the error about an unknown field. */
  type: string;
  fields: Record<string, Field<Item>>;
  /** `.Label "key"` of a template. */
  label?(item: Item, key: string): string;
}
