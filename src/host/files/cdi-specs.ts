/**
 * The files in which vendors describe how a container gets their devices
 * (https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a device, or every device of a vendor's, changes of a container. */
export interface CdiEdits {
  env?: string[];
  deviceNodes?: {
    path: string;
    hostPath?: string;
    type?: string;
    major?: number;
    minor?: number;
    fileMode?: number;
    permissions?: string;
    uid?: number;
    gid?: number;
  }[];
  mounts?: { hostPath: string; containerPath: string; type?: string; options?: string[] }[];
  hooks?: { hookName: string; path: string; args?: string[]; env?: string[]; timeout?: number }[];
  additionalGids?: number[];
}

export interface CdiSpec {
  /** `vendor/class` */
  kind: string;
  devices: { name: string; containerEdits?: CdiEdits }[];
  containerEdits?: CdiEdits;
}

/**
 * All that can be read, those of the later directories first: they have precedence. Read anew each time, because vendors write them while the
 * engine runs; they are few and small.
 */
export async function readCdiSpecs(directories: readonly string[]): Promise<CdiSpec[]> {
  const specs = await Promise.all([...directories].reverse().map(readDirectory));
  return specs.flat();
}

async function readDirectory(directory: string): Promise<CdiSpec[]> {
  // A directory that is not there describes nothing.
  const names = await readdir(directory).catch(() => []);
  const files = names.filter((name) => /\.(json|ya?ml)$/.test(name)).toSorted();
  const specs = await Promise.all(files.map((name) => readSpec(join(directory, name))));
  return specs.filter((spec) => spec !== null);
}

/** Null for a file that is no description: its devices are unresolvable then, and whoever asks for one hears of it. */
async function readSpec(path: string): Promise<CdiSpec | null> {
  try {
    const text = await readFile(path, 'utf8');
    const spec = (path.endsWith('.json') ? JSON.parse(text) : Bun.YAML.parse(text)) as Partial<CdiSpec> | null;
    return typeof spec?.kind === 'string' && Array.isArray(spec.devices) ? (spec as CdiSpec) : null;
  } catch {
    return null;
  }
}
