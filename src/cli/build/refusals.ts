/** Flags of `docker build` that ask for what this builder has not, or that are written wrongly: said before anything is built. */
import { errorMessage } from '../../api/errors.ts';
import { parseReference } from '../../oci/reference.ts';
import { ExitStatus } from '../command.ts';
import type { OptionValues } from '../grammar/options.ts';
import type { buildTable } from './options.ts';

type Options = OptionValues<typeof buildTable>;

/** What may be given to `--allow`. */
const entitlements: ReadonlySet<string> = new Set(['network.host', 'security.insecure']);

/** Gives a line for each flag that is taken and changes nothing. Error: exit status 1 for one that cannot be obeyed. */
export function checkFlags(options: Options): string[] {
  for (const tag of options.tag) checkTag(tag);
  for (const text of [...options['build-arg'], ...options.label])
    if (text.startsWith('='))
      throw new ExitStatus(1, `ERROR: invalid key-value pair ${JSON.stringify(text)}: empty key`);
  for (const text of options['build-context'])
    if (!text.includes('=')) throw new ExitStatus(1, `ERROR: invalid context value: ${text}, expected key=value`);
  for (const text of options['add-host']) if (!/[:=]/.test(text)) throw refused(`invalid host ${text}`);
  for (const name of options.allow) if (!entitlements.has(name)) throw refused(`unknown entitlement ${name}`);
  if (options.builder !== '' && options.builder !== 'default')
    throw new ExitStatus(1, `ERROR: no builder ${JSON.stringify(options.builder)} found`);
  return warnings(options);
}

function warnings(options: Options): string[] {
  const unused: [name: string, isGiven: boolean, why: string][] = [
    ['squash', options.squash, 'a stage of its own with COPY --from makes one layer'],
    ['isolation', options.isolation !== '', 'only Windows knows it'],
    ['security-opt', options['security-opt'].length > 0, 'RUN --security says what a step may do'],
  ];
  return unused.flatMap(([name, isGiven, why]) => (isGiven ? [`WARNING: --${name} is not used: ${why}`] : []));
}

/** Error: exit status 1 in buildx's words. */
export function checkTag(tag: string): void {
  try {
    parseReference(tag);
  } catch (error) {
    throw refused(`invalid tag ${JSON.stringify(tag)}: ${errorMessage(error)}`);
  }
}

function refused(text: string): ExitStatus {
  return new ExitStatus(1, `ERROR: failed to build: ${text}`);
}
