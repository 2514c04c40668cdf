/** The steps of a build as provenance shows them: the graph in BuildKit's low-level terms (https://github.com/moby/buildkit/blob/master/solver/pb/ops.proto). */
import { redactedAddress } from '../../base/redacted-address.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import type { Platform } from '../../oci/platform.ts';
import type { BuiltImage } from '../build-work.ts';
import type { DockerfileSource } from '../dockerfile/source-error.ts';
import type {
  CopyAction,
  CopyDefinition,
  DirectoryDefinition,
  ExecDefinition,
  SourceDefinition,
  StepMount,
} from '../graph/operations.ts';
import { inOrder, type Vertex } from '../graph/vertex.ts';

export interface ProvenanceStep {
  id: string;
  op?: object;
  inputs?: string[];
}

export interface ProvenanceSteps {
  steps: ProvenanceStep[];
  /** A vertex's digest → its step. */
  digests: Record<string, string>;
  source: object;
  /** By step and output. */
  layers: Record<string, Descriptor[][]>;
}

/** Every vertex that the image needs, inputs first; the last one is the result, without an operation of its own. */
export function buildSteps(
  image: BuiltImage,
  { source, packed }: { source: DockerfileSource; packed: ReadonlyMap<string, Descriptor> },
): ProvenanceSteps {
  const order = inOrder([image.plan.root]).filter((vertex) => !isScratch(vertex));
  const numbers = new Map(order.map((vertex, index) => [vertex.digest, `step${index}`]));
  const named = new Map(image.plan.images.map((one) => [one.layers.join(' '), one.name]));
  const locations: Record<string, object> = {};
  const steps: ProvenanceStep[] = order.map((vertex) => {
    const id = numbers.get(vertex.digest) as string;
    const { lines } = vertex.label;
    if (lines)
      locations[id] = { locations: [{ ranges: [{ start: { line: lines.first }, end: { line: lines.last } }] }] };
    const inputs = vertex.inputs.filter((input) => !isScratch(input)).map(({ digest }) => `${numbers.get(digest)}:0`);
    const isBound = vertex.kind === 'exec' || vertex.kind === 'image';
    const own = (vertex.aside['platform'] as Platform | undefined) ?? image.platform;
    const op = { Op: operation(vertex, named), ...(isBound && { platform: platformOf(own) }), constraints: {} };
    return { id, op, ...(inputs.length > 0 && { inputs }) };
  });
  steps.push({ id: `step${order.length}`, op: { Op: {} }, inputs: [`${numbers.get(image.plan.root.digest)}:0`] });
  return {
    steps,
    digests: Object.fromEntries(numbers),
    source: {
      locations,
      infos: [
        { filename: source.name, language: 'Dockerfile', data: Buffer.from(source.text, 'utf8').toString('base64') },
      ],
    },
    layers: layersOf(image, { numbers, packed }),
  };
}

/** An image of nothing is no step: what is upon it has no input there. */
function isScratch({ kind, definition }: Vertex): boolean {
  return kind === 'image' && (definition['layers'] as readonly string[]).length === 0;
}

/** Where an input stands among those that are steps; -1: it is none. */
function place({ inputs }: Vertex, input: number): number {
  const wanted = inputs[input];
  if (!wanted || isScratch(wanted)) return -1;
  return inputs.slice(0, input).filter((one) => !isScratch(one)).length;
}

function platformOf({ os, architecture, variant }: Platform): object {
  return { Architecture: architecture, OS: os, ...(variant && { Variant: variant }) };
}

function operation(vertex: Vertex, images: ReadonlyMap<string, string>): object {
  switch (vertex.kind) {
    case 'image': {
      const name = images.get((vertex.definition['layers'] as string[]).join(' '));
      return { source: { identifier: name === undefined ? 'scratch' : `docker-image://${name}` } };
    }
    case 'source':
      return { source: sourceOperation(vertex.definition as unknown as SourceDefinition) };
    case 'exec':
      return { exec: execOperation(vertex, vertex.definition as unknown as ExecDefinition) };
    case 'copy':
      return {
        file: {
          actions: (vertex.definition as unknown as CopyDefinition).actions.flatMap((action, index) =>
            copyActions(vertex, action, index),
          ),
        },
      };
    case 'directory': {
      const { path } = vertex.definition as unknown as DirectoryDefinition;
      return {
        file: {
          actions: [
            {
              Action: { mkdir: { path, mode: 0o755, makeParents: true, timestamp: -1 } },
              input: place(vertex, 0),
              secondaryInput: -1,
              output: 0,
            },
          ],
        },
      };
    }
    default:
      return { merge: { inputs: vertex.inputs.map((_, input) => ({ input: place(vertex, input) })) } };
  }
}

function sourceOperation(definition: SourceDefinition): object {
  switch (definition.source) {
    case 'local':
      return { identifier: `local://${definition.name}` };
    case 'http':
      return {
        identifier: redactedAddress(definition.url),
        ...(definition.checksum !== '' && { attrs: { 'http.checksum': definition.checksum } }),
      };
    case 'git':
      return {
        identifier: `git://${redactedAddress(definition.url).replace(/^[a-z+]+:\/\//, '')}`,
        attrs: { 'git.fullurl': redactedAddress(definition.url) },
      };
  }
}

function execOperation(vertex: Vertex, definition: ExecDefinition): object {
  const { args, env, directory, user, mounts, network, security } = definition;
  return {
    meta: { args, env, cwd: directory, ...(user !== '' && { user }) },
    mounts: [
      { input: place(vertex, 0), dest: '/', output: 0 },
      ...mounts.map((mount) => mountOperation(vertex, mount)),
    ],
    ...(network !== 'default' && { network: network === 'none' ? 2 : 1 }),
    ...(security === 'insecure' && { security: 1 }),
  };
}

const mountTypes = { bind: 0, secret: 1, ssh: 2, cache: 3, tmpfs: 4 };

function mountOperation(vertex: Vertex, mount: StepMount): object {
  const common = { dest: mount.target, output: -1, mountType: mountTypes[mount.type] };
  switch (mount.type) {
    case 'bind':
      return { ...common, input: place(vertex, mount.input), selector: mount.source, readonly: !mount.writable };
    case 'cache':
      return {
        ...common,
        input: mount.input === null ? -1 : place(vertex, mount.input),
        cacheOpt: { ID: mount.id, sharing: ['shared', 'private', 'locked'].indexOf(mount.sharing) },
      };
    case 'tmpfs':
      return { ...common, input: -1, TmpfsOpt: { size: mount.size } };
    case 'secret':
      return {
        ...common,
        input: -1,
        secretOpt: { ID: mount.id, uid: mount.uid, gid: mount.gid, mode: mount.mode, optional: !mount.required },
      };
    case 'ssh':
      return {
        ...common,
        input: -1,
        SSHOpt: { ID: mount.id, uid: mount.uid, gid: mount.gid, mode: mount.mode, optional: !mount.required },
      };
  }
}

/** @param index all but the first go on from what the one before them made */
function copyActions(vertex: Vertex, action: CopyAction, index: number): object[] {
  const { from, destination } = action;
  const below = index > 0 ? vertex.inputs.length + index - 1 : place(vertex, 0);
  if (from.kind === 'inline')
    return [
      {
        Action: { mkfile: { path: destination, mode: 0o644, data: Buffer.from(from.content).toString('base64') } },
        input: below,
        secondaryInput: -1,
        output: 0,
      },
    ];
  return action.sources.map((src) => ({
    Action: {
      copy: {
        src,
        dest: destination,
        mode: -1,
        followSymlink: true,
        dirCopyContents: true,
        createDestPath: true,
        allowWildcard: true,
        allowEmptyWildcard: true,
        timestamp: -1,
        ...(action.unpack !== 'never' && { attemptUnpackDockerCompatibility: true }),
        ...(action.excludes.length > 0 && { excludePatterns: action.excludes }),
      },
    },
    input: below,
    secondaryInput: place(vertex, from.input),
    output: 0,
  }));
}

/** Layers of the image's base and of each step that made one, as the manifest names them. */
function layersOf(
  image: BuiltImage,
  { numbers, packed }: { numbers: ReadonlyMap<string, string>; packed: ReadonlyMap<string, Descriptor> },
): Record<string, Descriptor[][]> {
  const named = (diffIds: readonly string[]): Descriptor[] => diffIds.flatMap((diffId) => packed.get(diffId) ?? []);
  const layers: Record<string, Descriptor[][]> = {};
  const made = image.plan.image.history.flatMap(({ vertex }) => vertex ?? []);
  const below = image.diffIds.length - made.length;
  for (const [index, vertex] of made.entries()) {
    const step = numbers.get(vertex.digest);
    const descriptors = named(image.diffIds.slice(0, below + index + 1));
    if (step !== undefined && descriptors.length > 0) layers[`${step}:0`] = [descriptors];
  }
  const base = inOrder([image.plan.root]).find(({ kind }) => kind === 'image');
  const first = base && numbers.get(base.digest);
  const descriptors = named(image.diffIds.slice(0, Math.max(0, below)));
  if (first !== undefined && descriptors.length > 0) layers[`${first}:0`] = [descriptors];
  return layers;
}
