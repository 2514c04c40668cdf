import type { HostConfig, Ulimit } from '../../../api/types/host-config.ts';
import { unlimited } from '../../../host/facts.ts';
import type { RuntimeLimit } from '../../../oci/runtime-spec.ts';

/** What the engine itself may hand on. */
export interface LimitHost {
  maySetResources: boolean;
  /** Hard limits of the engine by OCI name. */
  hardLimits: ReadonlyMap<string, bigint>;
  oomScoreAdj: number;
}

/**
 * Resource limits of a container: the engine's defaults, overridden by the container's own. Without CAP_SYS_RESOURCE no process
 * can raise a hard limit, so there they are cut to what the engine has instead of failing every start.
 */
export function resourceLimits(defaults: readonly Ulimit[], own: readonly Ulimit[], host: LimitHost): RuntimeLimit[] {
  return mergedLimits(defaults, own).map((limit) => {
    const type = `RLIMIT_${limit.Name.toUpperCase()}`;
    const most = host.maySetResources ? unlimited : (host.hardLimits.get(type) ?? unlimited);
    const hard = smaller(toKernel(limit.Hard), most);
    return { type, hard, soft: smaller(toKernel(limit.Soft), most) };
  });
}

function mergedLimits(defaults: readonly Ulimit[], own: readonly Ulimit[]): Ulimit[] {
  return [...new Map([...defaults, ...own].map((limit) => [limit.Name, limit])).values()];
}

/** −1 is how Docker writes RLIM_INFINITY. */
function toKernel(value: number | bigint): bigint {
  const exact = BigInt(value);
  return exact < 0n ? unlimited : exact;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** What of a container's wishes is cut for want of CAP_SYS_RESOURCE; nothing where the engine has it. */
export function limitWarnings(
  defaults: readonly Ulimit[],
  { Ulimits, OomScoreAdj }: Pick<HostConfig, 'Ulimits' | 'OomScoreAdj'>,
  host: LimitHost,
): string[] {
  if (host.maySetResources) return [];
  const why = 'The engine runs without CAP_SYS_RESOURCE.';
  const cut = resourceLimits(defaults, Ulimits ?? [], host)
    .map((limit, index) => ({ limit, wish: mergedLimits(defaults, Ulimits ?? [])[index] as Ulimit }))
    .filter(({ limit, wish }) => limit.hard < toKernel(wish.Hard))
    .map(({ limit, wish }) => `${why} The ulimit ${wish.Name} is lowered to the engine's own, ${limit.hard}.`);
  const score = oomScore(OomScoreAdj, host);
  return score === OomScoreAdj
    ? cut
    : [...cut, `${why} The OOM score adjustment is raised to the engine's own, ${score}.`];
}

/** The wish, or the engine's own value where lowering it is not allowed. */
export function oomScore(wanted: number, host: LimitHost): number {
  return host.maySetResources ? wanted : Math.max(wanted, host.oomScoreAdj);
}
