/**
 * Platforms as images name them (GOOS/GOARCH, https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md) and which of
 * them this machine runs, in containerd's order of preference.
 */
import { BerthError } from '../api/errors.ts';

export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
  'os.version'?: string;
  'os.features'?: string[];
}

/** Names that people and kernels use → architecture and variant of an image. */
const aliases: Record<string, [architecture: string, variant?: string]> = {
  i386: ['386'],
  i486: ['386'],
  i586: ['386'],
  i686: ['386'],
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  x64: ['amd64'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  ia32: ['386'],
  ppc64el: ['ppc64le'],
};

const architectures = new Set(
  '386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm'.split(
    ' ',
  ),
);
const systems = new Set(
  'aix android darwin dragonfly freebsd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos'.split(' '),
);

/** The platform in its usual spelling: `arm64/v8` is `arm64`, `arm` is `arm/v7`, `amd64/v1` is `amd64`. */
export function normalizePlatform(platform: Platform): Platform {
  const [architecture, aliasVariant] = aliases[platform.architecture.toLowerCase()] ?? [
    platform.architecture.toLowerCase(),
  ];
  let variant = (platform.variant || aliasVariant || '').toLowerCase();
  if (architecture === 'arm64' && (variant === '8' || variant === 'v8')) variant = '';
  if (architecture === 'amd64' && variant === 'v1') variant = '';
  if (architecture === 'arm') {
    if (variant === '') variant = 'v7';
    else if (/^[5-8]$/.test(variant)) variant = `v${variant}`;
  }
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase();
  const { variant: _, ...rest } = platform;
  return { ...rest, os, architecture, ...(variant && { variant }) };
}

type Rule = [kind: string, rule: string, pattern: RegExp];
const systemRule: Rule = [
  'OS component',
  'OSAndVersion',
  /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$/,
];
const componentRule: Rule = ['component', 'platform', /^[A-Za-z0-9_.-]+$/];

/** Reads `os/arch[/variant]`, `os` or `arch`, as `--platform` takes it. Error: `invalid`, containerd's text. */
export function parsePlatform(text: string, host: Platform = hostPlatform()): Platform {
  const parts = text.split('/');
  for (const [index, part] of parts.entries()) {
    const [kind, rule, pattern] = index === 0 ? systemRule : componentRule;
    if (!pattern.test(part))
      throw new BerthError(
        'invalid',
        `${JSON.stringify(part)} is an invalid ${kind} of ${JSON.stringify(text)}: ${rule} specifier component must match ${JSON.stringify(pattern.source)}: invalid argument`,
      );
  }
  if (parts.length > 3)
    throw new BerthError('invalid', `${JSON.stringify(text)}: cannot parse platform specifier: invalid argument`);
  const [first, second, third] = parts as [string, string?, string?];
  if (second !== undefined)
    return normalizePlatform({ os: first, architecture: second, ...(third && { variant: third }) });
  const word = first.toLowerCase();
  if (systems.has(word)) return normalizePlatform({ ...host, os: word });
  if (architectures.has(word) || word in aliases) return normalizePlatform({ os: host.os, architecture: word });
  throw new BerthError(
    'invalid',
    `${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`,
  );
}

/** `os/arch[/variant]` */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

/** What this machine runs. */
export function hostPlatform(): Platform {
  const names: Record<string, string> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le', mipsel: 'mipsle' };
  return normalizePlatform({ os: 'linux', architecture: names[process.arch] ?? process.arch });
}

/** The platforms that a machine of `wanted` runs, the best first. */
function acceptable(wanted: Platform): Platform[] {
  const { os, architecture, variant } = normalizePlatform(wanted);
  const list: Platform[] = [{ os, architecture, ...(variant && { variant }) }];
  const version = Number(/^v(\d+)$/.exec(variant ?? '')?.[1] ?? 0);
  if (architecture === 'amd64') {
    for (let lower = version - 1; lower >= 1; lower--)
      list.push(normalizePlatform({ os, architecture, variant: `v${lower}` }));
    list.push({ os, architecture: '386' });
  } else if (architecture === 'arm') {
    for (let lower = version - 1; lower >= 5; lower--) list.push({ os, architecture, variant: `v${lower}` });
  } else if (architecture === 'arm64') {
    for (let lower = 8; lower >= 5; lower--) list.push({ os, architecture: 'arm', variant: `v${lower}` });
  }
  return list;
}

/**
 * How well an image for `offered` runs on `wanted`: 0 is exact, more is worse, null is not at all.
 */
export function platformRank(offered: Platform, wanted: Platform): number | null {
  const normal = normalizePlatform(offered);
  const rank = acceptable(wanted).findIndex(
    (one) =>
      one.os === normal.os &&
      one.architecture === normal.architecture &&
      (one.variant ?? '') === (normal.variant ?? ''),
  );
  return rank < 0 ? null : rank;
}

/** The best of `entries` for `wanted`; an entry without platform is the last resort. Undefined: none fits. */
export function choosePlatform<T extends { platform?: Platform }>(
  entries: readonly T[],
  wanted: Platform,
): T | undefined {
  let best: { entry: T; rank: number } | undefined;
  for (const entry of entries) {
    const rank = entry.platform ? platformRank(entry.platform, wanted) : Number.MAX_SAFE_INTEGER;
    if (rank !== null && (!best || rank < best.rank)) best = { entry, rank };
  }
  return best?.entry;
}
