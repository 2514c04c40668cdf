import type { Ulimit } from '../../../api/types/host-config.ts';
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
  const merged = new Map<string, Ulimit>();
  for (const limit of [...defaults, ...own]) merged.set(limit.Name, limit);
  return [...merged.values()].map((limit) => {
    const type = `RLIMIT_${limit.Name.toUpperCase()}`;
    const most = host.maySetResources ? unlimited : (host.hardLimits.get(type) ?? unlimited);
    const hard = smaller(toKernel(limit.Hard), most);
    return { type, hard, soft: smaller(toKernel(limit.Soft), most) };
  });
}

/** −1 is how Docker writes RLIM_INFINITY. */
function toKernel(value: number | bigint): bigint {
  const exact = BigInt(value);
  return exact < 0n ? unlimited : exact;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** The wish, or the engine's own value where lowering it is not allowed. */
export function oomScore(wanted: number, host: LimitHost): number {
  return host.maySetResources ? wanted : Math.max(wanted, host.oomScoreAdj);
}
