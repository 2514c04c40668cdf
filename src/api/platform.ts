/** Platforms as users write them: `linux/amd64`, `linux/arm/v7`, `arm64`. */
import { decodeBody } from '../wire/json-schema.ts';
import { BerthError } from './errors.ts';
import { platform as platformSchema } from './schemas/other.ts';
import type { Platform } from './types/image.ts';

const systems = new Set(['linux', 'windows', 'darwin', 'freebsd', 'netbsd', 'openbsd', 'solaris', 'wasip1', 'plan9']);

/** Names under which an architecture is known, with Go's first. */
const architectures: Record<string, { architecture: string; variant: string }> = {
  i386: { architecture: '386', variant: '' },
  x86_64: { architecture: 'amd64', variant: '' },
  'x86-64': { architecture: 'amd64', variant: '' },
  aarch64: { architecture: 'arm64', variant: '' },
  armhf: { architecture: 'arm', variant: 'v7' },
  armel: { architecture: 'arm', variant: 'v6' },
};
const known = new Set(
  '386 amd64 arm arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x wasm'.split(' '),
);

function normalized(os: string, architecture: string, variant: string): Platform {
  const alias = architectures[architecture.toLowerCase()];
  const name = alias?.architecture ?? architecture.toLowerCase();
  let level = variant === '' ? (alias?.variant ?? '') : variant.toLowerCase();
  if (name === 'arm64' && (level === '8' || level === 'v8')) level = '';
  if (name === 'amd64' && level === 'v1') level = '';
  if (name === 'arm' && /^[5-8]$/.test(level)) level = `v${level}`;
  return { os: os.toLowerCase(), architecture: name, ...(level ? { variant: level } : {}) };
}

/**
 * @param text `os`, `architecture`, `os/architecture`, `os/architecture/variant`, or JSON; empty: null
 * @param hostArchitecture in Go's words, for a system alone
 * Error: `invalid` in Docker's words.
 */
export function parsePlatform(text: string, hostArchitecture = 'amd64'): Platform | null {
  if (text === '') return null;
  if (text.startsWith('{')) {
    const value = decodeBody(text, platformSchema);
    if (!value?.os || !value.architecture)
      throw new BerthError('invalid', `invalid platform: ${text}: both "os" and "architecture" must be provided`);
    return normalized(value.os, value.architecture, value.variant);
  }
  const parts = text.split('/');
  if (parts.length > 3 || !parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part)))
    throw new BerthError(
      'invalid',
      `${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`,
    );
  const [first, second, third] = parts as [string, string | undefined, string | undefined];
  if (second !== undefined) return normalized(first, second, third ?? '');
  if (systems.has(first.toLowerCase())) return normalized(first, hostArchitecture, '');
  const alone = normalized('linux', first, '');
  if (known.has(alone.architecture)) return alone;
  throw new BerthError(
    'invalid',
    `${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`,
  );
}
