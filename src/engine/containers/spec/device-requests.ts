/** Devices by capability (`--gpus`) and by CDI name, as changes of the OCI configuration. */
import { BerthError } from '../../../api/errors.ts';
import type { DeviceRequest } from '../../../api/types/host-config.ts';
import { type CdiEdits, type CdiSpec, readCdiSpecs } from '../../../host/files/cdi-specs.ts';
import type { RuntimeSpec } from '../../../oci/runtime-spec.ts';
import { deviceAt } from './devices.ts';
import { mergeEnvironment } from './environment.ts';

/** Kinds of devices that a request for a GPU may mean, the first that is there. */
const gpuKinds = ['nvidia.com/gpu', 'amd.com/gpu'];

/**
 * Puts the devices into the configuration. Nothing is built in: what is asked for stands in a file of its vendor's in one of `directories`.
 * Error: `internal`, in dockerd's words for a device or driver that is not there.
 */
export async function addRequestedDevices(
  spec: RuntimeSpec,
  requests: readonly DeviceRequest[],
  directories: readonly string[],
): Promise<void> {
  if (requests.length === 0) return;
  const specs = await readCdiSpecs(directories);
  const names = requests.flatMap((request) => namesOf(request, specs));
  const vendors = new Set<CdiSpec>();
  const missing: string[] = [];
  for (const name of names) {
    const found = findDevice(specs, name);
    if (!found) missing.push(name);
    else {
      await applyEdits(spec, found.edits);
      vendors.add(found.spec);
    }
  }
  if (missing.length > 0)
    throw new BerthError(
      'internal',
      `CDI device injection failed: unresolvable CDI devices ${[...new Set(missing)].join(', ')}`,
    );
  for (const { containerEdits } of vendors) await applyEdits(spec, containerEdits ?? {});
}

function namesOf(request: DeviceRequest, specs: readonly CdiSpec[]): string[] {
  if (request.Driver === 'cdi') return request.DeviceIDs ?? [];
  const wantsGpu = request.Capabilities?.some((words) => words.includes('gpu')) ?? false;
  const kind = gpuKinds.find(
    (candidate) =>
      (request.Driver === '' || candidate.startsWith(`${request.Driver}.`)) &&
      specs.some((spec) => spec.kind === candidate),
  );
  if (!wantsGpu || kind === undefined) {
    const capabilities = (request.Capabilities ?? []).map((words) => `[${words.join(' ')}]`).join(' ');
    throw new BerthError(
      'internal',
      `could not select device driver ${JSON.stringify(request.Driver)} with capabilities: [${capabilities}]`,
    );
  }
  if (request.DeviceIDs?.length) return request.DeviceIDs.map((id) => `${kind}=${id}`);
  if (request.Count < 0) return [`${kind}=all`];
  return Array.from({ length: request.Count }, (_, number) => `${kind}=${number}`);
}

/** @param name `vendor/class=device` */
function findDevice(specs: readonly CdiSpec[], name: string): { spec: CdiSpec; edits: CdiEdits } | null {
  const [kind, device] = [name.slice(0, name.indexOf('=')), name.slice(name.indexOf('=') + 1)];
  for (const spec of specs) {
    const found = spec.kind === kind ? spec.devices.find((candidate) => candidate.name === device) : undefined;
    if (found) return { spec, edits: found.containerEdits ?? {} };
  }
  return null;
}

async function applyEdits(spec: RuntimeSpec, edits: CdiEdits): Promise<void> {
  const { process, linux } = spec;
  process.env = mergeEnvironment(process.env, edits.env ?? []);
  for (const node of edits.deviceNodes ?? []) await addNode(linux, node);
  for (const mount of edits.mounts ?? [])
    spec.mounts.push({
      destination: mount.containerPath,
      source: mount.hostPath,
      type: mount.type ?? 'bind',
      options: mount.options ?? ['rbind', 'ro', 'nosuid', 'nodev'],
    });
  for (const { hookName, ...hook } of edits.hooks ?? []) {
    spec.hooks ??= {};
    spec.hooks[hookName] = [...(spec.hooks[hookName] ?? []), hook];
  }
  if (edits.additionalGids?.length)
    process.user.additionalGids = [...new Set([...(process.user.additionalGids ?? []), ...edits.additionalGids])];
}

type DeviceNode = NonNullable<CdiEdits['deviceNodes']>[number];

async function addNode(linux: RuntimeSpec['linux'], node: DeviceNode): Promise<void> {
  const onHost = node.hostPath ?? node.path;
  const found = await deviceAt(onHost, node.path);
  if (!found) throw new BerthError('internal', `CDI device injection failed: ${onHost}: not a device node`);
  const device = {
    ...found,
    major: node.major ?? found.major,
    minor: node.minor ?? found.minor,
    fileMode: node.fileMode ?? found.fileMode,
    uid: node.uid ?? found.uid,
    gid: node.gid ?? found.gid,
  };
  linux.devices = [...(linux.devices ?? []).filter(({ path }) => path !== device.path), device];
  if (device.type === 'p') return;
  const { type, major, minor } = device;
  linux.resources.devices.push({ allow: true, type, major, minor, access: node.permissions ?? 'rwm' });
}
