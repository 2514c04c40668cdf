/**
 * Writes shim/protocol.h and src/supervisor/protocol.ts from the table below, the one source of the shim's protocol.
 * `--check` writes nothing and fails where a file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Containers keep the shim that they were started with, so an engine meets older ones. What a frame means never changes; new
 * meanings get new types, a shim answers a request that it does not know with EINVAL and tells its version first (HELLO), and
 * whoever gets a frame of an unknown type skips it. The version is raised with every addition.
 */
const version = 1;

const constants: { comment: string; names: Record<string, number> }[] = [
  {
    comment: 'A frame: u32 payload length, u16 type, u16 request number (0: not a request), payload. Little endian.',
    names: { HEADER_SIZE: 8, MAX_PAYLOAD: 1 << 20, ID_SIZE: 64 },
  },
  {
    comment: 'First frame of a connection from the engine; each payload begins with the version, u16.',
    names: {
      /** version, u8 1 where this engine has announced `attachments` that are on their way */
      OPEN_CONTROL: 1,
      /** version, u8 attach flags, u8 counted in `attachments`; then the connection is the stream */
      OPEN_ATTACH: 2,
      /** version, u8 attach flags, u8 exec flags, u16 rows, u16 columns, id, process as JSON; then the stream */
      OPEN_EXEC: 3,
    },
  },
  {
    comment: 'Requests on a control connection; each is answered by RESULT. An id of zeros is the container itself.',
    names: {
      /** id, u32 signal */
      SIGNAL: 16,
      /** id, u16 rows, u16 columns */
      RESIZE: 17,
      TRUNCATE_LOG: 18,
    },
  },
  {
    comment: 'What the shim says on every control connection.',
    names: {
      /** u16 version of the shim; always the first */
      HELLO: 31,
      /** u32 errno (0: done), message */
      RESULT: 32,
      /** u32 pid, u64 nanoseconds since 1970 */
      STARTED: 33,
      /** u8 stage, message; the shim ends */
      FAILED: 34,
      /** u32 code, u8 out of memory, u64 nanoseconds since 1970 */
      EXITED: 35,
      OUT_OF_MEMORY: 36,
      /** Kernel objects of the container are gone as far as the shim can tell. */
      CLEANED: 37,
      /** id, u32 pid */
      EXEC_STARTED: 38,
      /** id, message */
      EXEC_FAILED: 39,
      /** id, u32 code, u64 nanoseconds since 1970; all output was sent before */
      EXEC_EXITED: 40,
    },
  },
  { comment: 'Stages of FAILED.', names: { STAGE_SETUP: 0, STAGE_NETWORK: 1, STAGE_RUNTIME: 2 } },
  { comment: 'Attach flags.', names: { ATTACH_STDIN: 1, ATTACH_STDOUT: 2, ATTACH_STDERR: 4 } },
  { comment: 'Exec flags.', names: { EXEC_TERMINAL: 1, EXEC_DETACHED: 2 } },
];

function camel(name: string): string {
  return name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function header(): string {
  const lines = [
    '/* Made by scripts/gen-shim-protocol.ts: change it there. */',
    '#ifndef SHIM_PROTOCOL_H',
    '#define SHIM_PROTOCOL_H',
    '',
    `#define PROTOCOL_VERSION ${version}`,
  ];
  for (const group of constants) {
    lines.push('', `/* ${group.comment} */`);
    for (const [name, value] of Object.entries(group.names)) lines.push(`#define PROTOCOL_${name} ${value}`);
  }
  lines.push('', '#endif', '');
  return lines.join('\n');
}

function module(): string {
  const lines = [
    '// Made by scripts/gen-shim-protocol.ts: change it there.',
    'export const protocol = {',
    `  version: ${version},`,
  ];
  for (const group of constants) {
    lines.push(`  // ${group.comment}`);
    for (const [name, value] of Object.entries(group.names)) lines.push(`  ${camel(name)}: ${value},`);
  }
  lines.push('} as const;', '');
  return lines.join('\n');
}

const outputs: [string, string][] = [
  ['../shim/protocol.h', header()],
  ['../src/supervisor/protocol.ts', module()],
];
let stale = false;
for (const [path, text] of outputs) {
  const file = fileURLToPath(new URL(path, import.meta.url));
  if (process.argv.includes('--check')) {
    if (readFileSync(file, 'utf8') !== text) {
      console.error(`${path} is stale: run scripts/gen-shim-protocol.ts`);
      stale = true;
    }
  } else writeFileSync(file, text);
}
if (stale) process.exit(1);
