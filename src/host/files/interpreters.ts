/** Programs of other processors that the kernel hands to an interpreter: https://docs.kernel.org/admin-guide/binfmt-misc.html */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const place = '/proc/sys/fs/binfmt_misc';

/** e_machine of an ELF file → how images call it; those that stand twice differ by class or byte order. */
const machines: Readonly<Record<string, string>> = {
  '3 32 little': '386',
  '8 64 big': 'mips64',
  '8 64 little': 'mips64le',
  '20 32 big': 'ppc',
  '21 64 big': 'ppc64',
  '21 64 little': 'ppc64le',
  '22 64 big': 's390x',
  '40 32 little': 'arm',
  '62 64 little': 'amd64',
  '183 64 little': 'arm64',
  '243 64 little': 'riscv64',
  '258 64 little': 'loong64',
};

/** Architectures whose programs run here by an interpreter; none where the kernel has no binfmt_misc, or nobody has mounted it. */
export async function interpretedArchitectures(directory = place): Promise<Set<string>> {
  let names: string[];
  try {
    if (!(await readFile(join(directory, 'status'), 'utf8')).startsWith('enabled')) return new Set();
    names = await readdir(directory);
  } catch {
    return new Set(); // not there
  }
  const entries = names.filter((name) => name !== 'status' && name !== 'register');
  const texts = await Promise.all(entries.map((name) => readFile(join(directory, name), 'utf8').catch(() => '')));
  return new Set(texts.flatMap((text) => architectureOf(text) ?? []));
}

/** What an entry is for; null: no program, or it is switched off. */
function architectureOf(text: string): string | null {
  if (!text.startsWith('enabled')) return null;
  const magic = Buffer.from(/^magic ([0-9a-f]+)$/m.exec(text)?.[1] ?? '', 'hex');
  if (!/^offset 0$/m.test(text) || magic.length < 20 || magic.toString('latin1', 1, 4) !== 'ELF') return null;
  const isLittle = magic[5] === 1;
  const machine = isLittle ? magic.readUInt16LE(18) : magic.readUInt16BE(18);
  return machines[`${machine} ${magic[4] === 2 ? 64 : 32} ${isLittle ? 'little' : 'big'}`] ?? null;
}
