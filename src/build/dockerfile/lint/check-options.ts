import { BerthError } from '../../../api/errors.ts';
import { goBoolean, notBoolean } from '../../../base/go-boolean.ts';

/** What `# check=` says. */
export interface CheckOptions {
  skip: ReadonlySet<string> | 'all';
  experimental: ReadonlySet<string> | 'all';
  /** Warnings fail the build. */
  isError: boolean;
}

/** More parts than these belong to the last one, as in BuildKit. */
const mostParts = 3;

/** `skip=all|Rule,…;experimental=all|Rule,…;error=true`; only what stands before a blank counts. Error: `invalid`. */
export function parseCheckOptions(text: string): CheckOptions {
  const options: CheckOptions = { skip: new Set(), experimental: new Set(), isError: false };
  const [word = ''] = text.trim().split(/\s/, 1);
  if (word === '') return options;
  const all = word.split(';');
  const parts = [
    ...all.slice(0, mostParts - 1),
    ...(all.length < mostParts ? [] : [all.slice(mostParts - 1).join(';')]),
  ];
  for (const part of parts) {
    const separator = part.indexOf('=');
    const key = separator < 0 ? part : part.slice(0, separator);
    const value = part.slice(separator + 1);
    if (separator < 0 || !['skip', 'experimental', 'error'].includes(key))
      throw invalid(`invalid check option ${JSON.stringify(key)}`);
    if (key !== 'error') {
      options[key as 'skip' | 'experimental'] = value === 'all' ? 'all' : new Set(value.split(','));
      continue;
    }
    const isError = goBoolean(value);
    if (isError === null) throw invalid(`failed to parse check option ${JSON.stringify(part)}: ${notBoolean(value)}`);
    options.isError = isError;
  }
  return options;
}

function invalid(text: string): BerthError {
  return new BerthError('invalid', `failed to parse check options: ${text}`);
}
