/**
 * JSON with exact 64-bit integers: an integer beyond ±(2^53 − 1) is read as a `bigint` and written digit by digit. Numbers
 * with a fraction or an exponent stay numbers.
 */

/** The part of https://tc39.es/proposal-json-parse-with-source/ that TypeScript's library does not name yet. */
interface JsonWithSource {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
}
const sourceJson = JSON as unknown as JsonWithSource;

/** Only a text with so many digits in a row can hold an integer that a number cannot. */
const longInteger = /\d{16}/;

/** Error: SyntaxError. */
export function parseJson(text: string): unknown {
  if (!longInteger.test(text)) return JSON.parse(text);
  return sourceJson.parse(text, (_key, value, context) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? '')
      ? BigInt(context.source as string)
      : value,
  );
}

/** A number that the text writes with a fraction or an exponent; Go refuses those where it wants an integer. */
export class FractionLiteral {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

const needsSource = /\d{16}|\d[.eE]/;

/** As `parseJson`, and gives `1.5` and `1e3` as `FractionLiteral`, for the decoder of `json-schema.ts`. Error: SyntaxError. */
export function parseJsonLiterally(text: string): unknown {
  if (!needsSource.test(text)) return JSON.parse(text);
  return sourceJson.parse(text, (_key, value, context) => {
    if (typeof value !== 'number') return value;
    const source = context.source ?? String(value);
    if (/[.eE]/.test(source)) return new FractionLiteral(source);
    return Number.isSafeInteger(value) ? value : BigInt(source);
  });
}

/** One line of JSON, without the line's end. `undefined` properties are left out. */
export function stringifyJson(value: unknown): string {
  try {
    // Five times as fast as with a replacer, and there is hardly ever a bigint.
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, writeBigints);
  }
}

function writeBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? sourceJson.rawJSON(value.toString()) : value;
}
