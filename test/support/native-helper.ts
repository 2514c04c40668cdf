/** The native helper program (build/shim) as tests use it. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './repository.ts';

export function helperProgram(): string {
  return join(repository, 'build/shim');
}

/** A directory that goes with the `using` scope; on a real file system, because tmpfs lacks some attributes. */
export function scratch(purpose: string): { path: string } & Disposable {
  const path = mkdtempSync(`/var/tmp/berth-test-${purpose}-`);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export interface HelperResult {
  code: number;
  stdout: Buffer;
  message: string;
}

export async function helper(
  argv: string[],
  options: { input?: Uint8Array; program?: string; recipe?: string } = {},
): Promise<HelperResult> {
  const recipe = options.recipe === undefined ? null : openSync(options.recipe, 'w');
  const child = Bun.spawn([options.program ?? helperProgram(), ...argv], {
    stdio: [
      options.input ? new Blob([options.input as Uint8Array<ArrayBuffer>]) : 'ignore',
      'pipe',
      'pipe',
      ...(recipe === null ? [] : [recipe]),
    ],
    // No /proc in the chroot: the leak checker cannot work there.
    env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
  });
  const [stdout, message, code] = await Promise.all([
    new Response(child.stdout).arrayBuffer(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (recipe !== null) closeSync(recipe);
  return { code, stdout: Buffer.from(stdout), message: message.trim() };
}

/** Unpacks into `<layer>/diff`, the recipe to `<layer>.recipe`. */
export function unpackLayer(layer: string, archive: Uint8Array, program?: string): Promise<HelperResult> {
  return helper(['unpack', '--recipe', '3', layer], { input: archive, recipe: `${layer}.recipe`, program });
}

/** The tar again, from what unpackLayer made. */
export async function rebuild(layer: string): Promise<Buffer> {
  const result = await helper(['pack', '--recipe', layer], { input: readFileSync(`${layer}.recipe`) });
  if (result.code !== 0) throw new Error(result.message);
  return result.stdout;
}
