import { BerthError } from '../../../api/errors.ts';
import type { RuntimeSeccomp, SeccompAction, SeccompArgument, SeccompRule } from '../../../oci/runtime-spec.ts';
import { explainSyntax } from '../../../wire/json-syntax.ts';
import {
  defaultProfile,
  filteredArchitectures,
  type ProfileEntry,
  type SeccompArchitecture,
} from './seccomp-profile.ts';

/** What the conditions of a profile are held against. */
export interface SeccompHost {
  architecture: SeccompArchitecture;
  /** Major and minor number of the running kernel. */
  kernel: readonly [number, number];
}

const keptFilters = 64;

/**
 * Makes the filter that goes into a bundle, as JSON text: compiling and serialising the default profile costs more than the
 * rest of a bundle together, so each result is kept by the capabilities that led to it.
 */
export class SeccompFilters {
  readonly #host: SeccompHost;
  readonly #default = new Map<string, string>();
  readonly #relevant: readonly string[];

  constructor(host: SeccompHost) {
    this.#host = host;
    this.#relevant = defaultProfile.flatMap((entry) => entry.capability ?? entry.withoutCapability ?? []);
  }

  /** The default profile for a container with these capabilities. */
  default(capabilities: readonly string[]): string {
    const held = new Set(capabilities);
    const key = this.#relevant.filter((name) => held.has(name)).join();
    let text = this.#default.get(key);
    if (text === undefined) {
      text = JSON.stringify(compileDefault(this.#host, held));
      if (this.#default.size >= keptFilters) this.#default.clear();
      this.#default.set(key, text);
    }
    return text;
  }

  /**
   * A profile of the user's own, in Docker's format (https://docs.docker.com/engine/security/seccomp/).
   * @param text JSON, as the client sends it in `seccomp=…`
   * Null: it says nothing at all, so nothing is filtered. Error: `internal`, as dockerd, in its words.
   */
  custom(text: string, capabilities: readonly string[]): string | null {
    const filter = compileCustom(text, this.#host, new Set(capabilities));
    return filter && JSON.stringify(filter);
  }
}

function compileDefault(host: SeccompHost, held: ReadonlySet<string>): RuntimeSeccomp {
  const syscalls: SeccompRule[] = [];
  for (const entry of defaultProfile) {
    if (applies(entry, host, held)) syscalls.push(toRule(entry));
  }
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: [...filteredArchitectures[host.architecture]],
    syscalls,
  };
}

function applies(entry: ProfileEntry, host: SeccompHost, held: ReadonlySet<string>): boolean {
  if (entry.architectures && !entry.architectures.includes(host.architecture)) return false;
  if (entry.kernel && isOlder(host.kernel, entry.kernel)) return false;
  if (entry.capability && !held.has(entry.capability)) return false;
  return !(entry.withoutCapability && held.has(entry.withoutCapability));
}

function toRule(entry: ProfileEntry): SeccompRule {
  const rule: SeccompRule = {
    names: entry.calls.trim().split(/\s+/),
    action: entry.errno === undefined ? 'SCMP_ACT_ALLOW' : 'SCMP_ACT_ERRNO',
  };
  if (entry.errno !== undefined) rule.errnoRet = entry.errno;
  if (entry.argument) rule.args = [entry.argument];
  return rule;
}

function isOlder(kernel: readonly [number, number], wanted: readonly [number, number]): boolean {
  return kernel[0] < wanted[0] || (kernel[0] === wanted[0] && kernel[1] < wanted[1]);
}

/** Conditions of a rule in a profile file. */
interface ProfileFilter {
  caps?: string[] | null;
  arches?: string[] | null;
  minKernel?: string | null;
}

interface ProfileFile {
  defaultAction?: SeccompAction;
  defaultErrnoRet?: number;
  architectures?: string[] | null;
  archMap?: { architecture: string; subArchitectures?: string[] | null }[] | null;
  flags?: string[] | null;
  listenerPath?: string;
  listenerMetadata?: string;
  syscalls?:
    | {
        name?: string;
        names?: string[] | null;
        action: SeccompAction;
        errnoRet?: number | null;
        args?: SeccompArgument[] | null;
        includes?: ProfileFilter | null;
        excludes?: ProfileFilter | null;
      }[]
    | null;
}

function compileCustom(text: string, host: SeccompHost, held: ReadonlySet<string>): RuntimeSeccomp | null {
  let file: ProfileFile;
  try {
    file = JSON.parse(text) as ProfileFile;
  } catch (cause) {
    throw new BerthError('internal', `Decoding seccomp profile failed: ${explainSyntax(text).problem}`, { cause });
  }
  if (typeof file !== 'object' || file === null || Array.isArray(file))
    throw new BerthError('internal', 'Decoding seccomp profile failed: it must be a JSON object');
  if (!file.defaultAction && !file.syscalls?.length) return null;
  if (file.architectures?.length && file.archMap?.length)
    throw new BerthError('invalid', "use either 'architectures' or 'archMap'");
  const result: RuntimeSeccomp = {
    defaultAction: file.defaultAction ?? 'SCMP_ACT_ERRNO',
    architectures: architecturesOf(file, host),
    syscalls: [],
  };
  if (file.defaultErrnoRet !== undefined) result.defaultErrnoRet = file.defaultErrnoRet;
  if (file.flags?.length) result.flags = file.flags;
  if (file.listenerPath) result.listenerPath = file.listenerPath;
  if (file.listenerMetadata) result.listenerMetadata = file.listenerMetadata;
  for (const call of file.syscalls ?? []) {
    if (call.name && call.names?.length) throw new BerthError('invalid', "use either 'name' or 'names'");
    if (!included(call.includes, host, held) || excluded(call.excludes, host, held)) continue;
    const rule: SeccompRule = { names: call.names?.length ? call.names : [call.name ?? ''], action: call.action };
    if (typeof call.errnoRet === 'number') rule.errnoRet = call.errnoRet;
    if (call.args?.length) rule.args = call.args;
    result.syscalls.push(rule);
  }
  return result;
}

const seccompNames: Record<SeccompArchitecture, string> = { amd64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64' };

function architecturesOf(file: ProfileFile, host: SeccompHost): string[] {
  if (file.architectures?.length) return file.architectures;
  const own = file.archMap?.find((entry) => entry.architecture === seccompNames[host.architecture]);
  return own ? [own.architecture, ...(own.subArchitectures ?? [])] : [];
}

function included(filter: ProfileFilter | null | undefined, host: SeccompHost, held: ReadonlySet<string>): boolean {
  if (filter?.arches?.length && !filter.arches.includes(host.architecture)) return false;
  if (filter?.minKernel && isOlder(host.kernel, parseKernel(filter.minKernel))) return false;
  return !filter?.caps?.length || filter.caps.every((name) => held.has(name));
}

function excluded(filter: ProfileFilter | null | undefined, host: SeccompHost, held: ReadonlySet<string>): boolean {
  if (filter?.arches?.includes(host.architecture)) return true;
  if (filter?.minKernel && !isOlder(host.kernel, parseKernel(filter.minKernel))) return true;
  return filter?.caps?.some((name) => held.has(name)) ?? false;
}

/** `6.18.44-fc` → 6, 18. Error: `invalid`. */
export function parseKernel(release: string): [number, number] {
  const match = /^(\d+)\.(\d+)/.exec(release);
  if (!match) throw new BerthError('invalid', `invalid kernel version: ${release}`);
  return [Number(match[1]), Number(match[2])];
}
