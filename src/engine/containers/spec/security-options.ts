import { BerthError } from '../../../api/errors.ts';
import { goBoolean } from '../../../base/go-boolean.ts';

/** `HostConfig.SecurityOpt`, read. */
export interface SecurityOptions {
  noNewPrivileges: boolean;
  /** Null: the engine's default; `unconfined`; else the profile's JSON. */
  seccomp: string | null;
  /** Null: the default; `unconfined`; else the name of a loaded profile. */
  appArmor: string | null;
  /** SELinux label options, `disable` or `type:…`. */
  labels: string[];
  writableCgroups: boolean | null;
}

/**
 * @param options `key=value` (also `key:value`) or a bare flag
 * @param noNewPrivileges the engine's default
 * Error: `internal` (as dockerd) in dockerd's words.
 */
export function parseSecurityOptions(options: readonly string[], noNewPrivileges: boolean): SecurityOptions {
  const result: SecurityOptions = { noNewPrivileges, seccomp: null, appArmor: null, labels: [], writableCgroups: null };
  for (const option of options) {
    if (option === 'no-new-privileges') {
      result.noNewPrivileges = true;
      continue;
    }
    if (option === 'disable') {
      result.labels.push('disable');
      continue;
    }
    if (option === 'writable-cgroups') {
      result.writableCgroups = true;
      continue;
    }
    const match = /^([^=:]+)[=:](.*)$/s.exec(option);
    if (!match) throw new BerthError('internal', `invalid --security-opt 1: ${JSON.stringify(option)}`);
    apply(result, option, { key: match[1] as string, value: match[2] as string });
  }
  return result;
}

function apply(result: SecurityOptions, option: string, pair: { key: string; value: string }): void {
  const invalid = (): BerthError => new BerthError('internal', `invalid --security-opt 2: ${JSON.stringify(option)}`);
  switch (pair.key) {
    case 'label':
      result.labels.push(pair.value);
      return;
    case 'apparmor':
      result.appArmor = pair.value;
      return;
    case 'seccomp':
      result.seccomp = pair.value === 'builtin' ? null : pair.value;
      return;
    case 'no-new-privileges':
      result.noNewPrivileges = goBoolean(pair.value) ?? fail(invalid());
      return;
    case 'writable-cgroups':
      result.writableCgroups = goBoolean(pair.value) ?? fail(invalid());
      return;
    default:
      throw invalid();
  }
}

function fail(error: BerthError): never {
  throw error;
}
