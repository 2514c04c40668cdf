/** The user's config.json, the same file as Docker's (`~/.docker/config.json`). Keys that are not known here stay as they are. */
import { BerthError, errorMessage } from '../../api/errors.ts';

export interface ConfigFile {
  auths?: Record<string, { auth?: string; identitytoken?: string; registrytoken?: string; email?: string }>;
  credsStore?: string;
  credHelpers?: Record<string, string>;
  HttpHeaders?: Record<string, string>;
  psFormat?: string;
  imagesFormat?: string;
  networksFormat?: string;
  volumesFormat?: string;
  detachKeys?: string;
  pruneFilters?: string[];
  currentContext?: string;
  aliases?: Record<string, string>;
  proxies?: Record<string, Record<string, string>>;
  [key: string]: unknown;
}

/** The folder of config.json, contexts and plugins. */
export function configDirectory(flag: string, environment: Record<string, string | undefined>): string {
  return flag || environment['DOCKER_CONFIG'] || `${environment['HOME'] ?? '/root'}/.docker`;
}

/**
 * An empty configuration where there is no file.
 * @param warn told of a file that is no JSON object, which counts as an empty one then
 * Error: `invalid` for such a file where nobody is to be warned.
 */
export async function readConfigFile(
  directory: string,
  warn?: (text: string) => Promise<unknown>,
): Promise<ConfigFile> {
  const path = `${directory}/config.json`;
  const file = Bun.file(path);
  // The size is asked first because a missing file is the usual case and an error costs more than the question.
  if (file.size === 0) return {};
  const text = await file.text();
  try {
    const parsed: unknown = JSON.parse(text);
    if (parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed)) return parsed as ConfigFile;
    throw new Error('it is no JSON object');
  } catch (cause) {
    const why = errorMessage(cause);
    if (!warn) throw new BerthError('invalid', `loading config file: ${path}: ${why}`, { cause });
    await warn(`WARNING: Error parsing config file (${path}): ${why}\n`);
    return {};
  }
}
