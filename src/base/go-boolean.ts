const words: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

/** Go's strconv.ParseBool, by which Docker reads flags, options and filters. Null: the text is none of its words. */
export function goBoolean(text: string): boolean | null {
  return words.get(text) ?? null;
}

/** What Go says of a text that is none. */
export function notBoolean(text: string): string {
  return `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;
}
