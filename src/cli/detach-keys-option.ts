import type { Cli } from './command.ts';
import { defaultDetachKeys, parseDetachKeys } from './streams/detach-keys.ts';

/** The keys of `--detach-keys`, else of the configuration, else ctrl-p ctrl-q. Error: `invalid`. */
export function chosenDetachKeys(cli: Cli, option: string): Uint8Array {
  return parseDetachKeys(option || cli.config.detachKeys || defaultDetachKeys);
}
