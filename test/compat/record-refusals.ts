/**
 * Records how a real dockerd refuses bad requests, for `refusals.test.ts`:
 *   bun test/compat/record-refusals.ts /path/to/docker.sock | biome format --stdin-file-path=x.json > test/compat/docker-refusals.json
 */
import { collectRefusals } from './refusals.ts';
import { askOver } from './scenario.ts';

const socket = process.argv[2];
if (!socket) throw new Error('usage: record-refusals.ts <docker.sock>');
console.log(JSON.stringify(await collectRefusals(askOver(socket))));
