/** `--call` and `--check`: what is asked of a Dockerfile besides building it. */
import type { BuildCall } from '../../api/types/build.ts';
import { ExitStatus } from '../command.ts';

export interface Call {
  name: BuildCall;
  format: 'text' | 'json';
  /** Warnings are no failure. */
  ignoreStatus: boolean;
}

const names: readonly string[] = ['build', 'check', 'outline', 'targets'];
/** What frontends call the same. */
const aliases: Readonly<Record<string, BuildCall>> = { lint: 'check' };

/** `check`, `outline,format=json`, … Error: exit status 1. */
export function parseCall(text: string, check: boolean): Call {
  const [first = '', ...fields] = (check && (text === '' || text === 'build') ? 'check' : text || 'build').split(',');
  const word = first.replace(/^(?:frontend|method=frontend)\./, '').replace(/^method=/, '');
  const name = aliases[word] ?? word;
  if (!names.includes(name))
    throw new ExitStatus(1, `ERROR: --call=${first} is not supported: it takes build, check, outline or targets`);
  const call: Call = { name: name as BuildCall, format: 'text', ignoreStatus: false };
  for (const field of fields) {
    const [key, value = ''] = field.split('=', 2);
    if (key === 'format' && (value === 'text' || value === 'json')) call.format = value;
    else if (key === 'ignorestatus' && (value === 'true' || value === 'false')) call.ignoreStatus = value === 'true';
    else throw new ExitStatus(1, `ERROR: invalid print field: ${field}`);
  }
  return call;
}
