/** The `platform` parameter of the API: `linux/arm64`, or JSON from 1.48 on. */
import { normalizePlatform, parsePlatform } from '../oci/platform.ts';
import { decodeBody } from '../wire/json-schema.ts';
import { BerthError } from './errors.ts';
import { platform as platformSchema } from './schemas/other.ts';
import type { Platform } from './types/image.ts';

/**
 * @param text `os`, `architecture`, `os/architecture`, `os/architecture/variant`, or a JSON object; empty: null
 * Error: `invalid` in Docker's words.
 */
export function readPlatformParameter(text: string): Platform | null {
  if (text === '') return null;
  if (!text.startsWith('{')) return parsePlatform(text);
  const value = decodeBody(text, platformSchema);
  if (!value?.os || !value.architecture)
    throw new BerthError('invalid', `invalid platform: ${text}: both "os" and "architecture" must be provided`);
  const { variant, ...rest } = value;
  return normalizePlatform(variant ? { ...rest, variant } : rest);
}
