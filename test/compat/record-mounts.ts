/**
 * Records what a real dockerd makes of the mount cases, for `mounts.test.ts`:
 *   bun test/compat/record-mounts.ts /path/to/docker.sock | biome format --stdin-file-path=x.json > test/compat/docker-mounts.json
 */
import { collectMountOutcomes } from './mounts.ts';
import { askOver } from './scenario.ts';

const socket = process.argv[2];
if (!socket) throw new Error('usage: record-mounts.ts <docker.sock>');
console.log(JSON.stringify(await collectMountOutcomes(askOver(socket))));
