/** A request as route handlers see it: version, path parameters, query and body, read as Docker reads them. */
import { BerthError } from '../api/errors.ts';
import { readPlatformParameter } from '../api/platform.ts';
import { authConfig as authSchema } from '../api/schemas/other.ts';
import type { AuthConfig, Platform } from '../api/types/image.ts';
import { checkFilterKeys, type Filters, parseFilters } from '../wire/filters.ts';
import { decodeBody, type Schema } from '../wire/json-schema.ts';
import { parseUnixTime } from '../wire/time.ts';
import type { HttpRequest } from './http/connection.ts';

/** JSON bodies beyond this are refused with 413; the largest that clients send (a create request) has some hundred kilobytes. */
const maximumJsonBody = 8 * 1024 * 1024;

export class ApiRequest {
  readonly http: HttpRequest;
  /** Minor version: 41 for `/v1.41/…`; the newest where the path has none. */
  readonly version: number;
  readonly #search: string;
  readonly #parameters: Readonly<Record<string, string>>;
  #query: URLSearchParams | null = null;

  constructor(
    http: HttpRequest,
    route: { version: number; search: string; parameters: Readonly<Record<string, string>> },
  ) {
    this.http = http;
    this.version = route.version;
    this.#search = route.search;
    this.#parameters = route.parameters;
  }

  /** Aborts when the client leaves. */
  get signal(): AbortSignal {
    return this.http.signal;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#search);
    return this.#query;
  }

  /** A part of the path, decoded. */
  parameter(name: string): string {
    return this.#parameters[name] ?? '';
  }

  /** A query parameter; empty where it is not given. */
  text(name: string): string {
    return this.query.get(name) ?? '';
  }

  /** Everything but nothing, `0`, `no`, `false` and `none` is yes. */
  flag(name: string, otherwise = false): boolean {
    const value = this.query.get(name);
    if (value === null) return otherwise;
    return !['', '0', 'no', 'false', 'none'].includes(value.trim().toLowerCase());
  }

  /** Null where it is not given. Error: `invalid` in Go's words. */
  integer(name: string): number | null {
    const value = this.text(name);
    if (value === '') return null;
    const number = Number(value);
    if (!/^[+-]?\d+$/.test(value))
      throw new BerthError('invalid', `strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
    if (!Number.isSafeInteger(number))
      throw new BerthError('invalid', `strconv.Atoi: parsing ${JSON.stringify(value)}: value out of range`);
    return number;
  }

  /** Unix seconds with a fraction as nanoseconds; null for 0 and nothing: no bound. Error: `invalid` in Go's words. */
  moment(name: string): bigint | null {
    const text = this.text(name);
    if (text === '') return null;
    const time = parseUnixTime(text);
    if (time === null)
      throw new BerthError('invalid', `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    return time === 0n ? null : time;
  }

  /** A terminal size from `h` and `w`. Error: `invalid`. */
  size(): { rows: number; columns: number } {
    return { rows: this.#dimension('h', 'height'), columns: this.#dimension('w', 'width') };
  }

  #dimension(name: string, word: string): number {
    const value = this.text(name);
    const number = Number(value);
    if (!/^\d+$/.test(value))
      throw new BerthError('invalid', `invalid resize ${word} ${JSON.stringify(value)}: invalid syntax`);
    if (number > 4_294_967_295)
      throw new BerthError('invalid', `invalid resize ${word} ${JSON.stringify(value)}: value out of range`);
    // The kernel keeps sixteen bits.
    return Math.min(number, 65_535);
  }

  /** The `filters` parameter. Error: `invalid` for other text or a key that is not accepted. */
  filters(accepted: readonly string[]): Filters {
    const filters = parseFilters(this.query.get('filters'));
    checkFilterKeys(filters, accepted);
    return filters;
  }

  /** The `platform` parameter; null where it is not given. */
  platform(name = 'platform'): Platform | null {
    return readPlatformParameter(this.text(name));
  }

  /** Credentials of the `X-Registry-Auth` header; null where there are none or they cannot be read (as dockerd, which asks without them). */
  registryAuth(): AuthConfig | null {
    const header = this.http.headers.get('x-registry-auth');
    if (!header) return null;
    try {
      const auth = decodeBody(Buffer.from(header, 'base64url').toString(), authSchema);
      return auth && Object.values(auth).some((value) => value !== '') ? auth : null;
    } catch {
      // Docker's clients send what they have; a registry that wants more says so itself.
      return null;
    }
  }

  /** No body, as far as the head tells. */
  get hasBody(): boolean {
    return this.http.framing.kind !== 'none';
  }

  /**
   * Before a hijack: a body of known length is read over, because it is no input of the process (dockerode sends the query once more as
   * JSON). One in chunks is what follows on the connection, as in dockerd.
   */
  async skipBody(): Promise<void> {
    if (this.http.framing.kind === 'length') await this.http.text(maximumJsonBody);
  }

  /** The JSON body. Zero values where the body is empty or `null`. Errors: `invalid` in dockerd's words, 413. */
  async json<T>(schema: Schema<T>): Promise<T> {
    return (await this.jsonOrNull(schema, 'empty-is-zero')) ?? schema.zero();
  }

  /** As `json`, with null for a body that is `null`, and an empty one an error unless told otherwise. */
  async jsonOrNull<T>(schema: Schema<T>, empty: 'empty-is-zero' | 'empty-is-error'): Promise<T | null> {
    this.checkContentType();
    if (!this.hasBody && empty === 'empty-is-zero') return null;
    return decodeBody(await this.http.text(maximumJsonBody), schema);
  }

  /** Error: `invalid` for a body that is not declared as JSON. */
  checkContentType(): void {
    const type = this.http.headers.get('content-type') ?? '';
    if (type === '' && !this.hasBody) return;
    const media = (type.split(';')[0] as string).trim().toLowerCase();
    if (media === 'application/json') return;
    if (media === '') throw new BerthError('invalid', `malformed Content-Type header (${type}): mime: no media type`);
    throw new BerthError('invalid', `unsupported Content-Type header (${media}): must be 'application/json'`);
  }
}
