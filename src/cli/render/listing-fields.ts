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
  /** The template that `--format raw` stands for. */
  raw?: string;
  /** What stands in front of what is wrong with a template, where it is not what Docker's other lists say. */
  templateProblem?(phase: string): string;
  /** `.Label "key"` of a template. */
  label?(item: Item, key: string): string;
}
