/**
 * Where an image comes from, as SLSA provenance (https://slsa.dev/spec/v1.1/provenance, https://slsa.dev/spec/v0.2/provenance) in the form that
 * BuildKit gives it (https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md).
 */
import { randomBytes } from 'node:crypto';
import { goBoolean } from '../../base/go-boolean.ts';
import { redactedAddress } from '../../base/redacted-address.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import { formatPlatform, hostPlatform } from '../../oci/platform.ts';
import type { Built, BuiltImage } from '../build-work.ts';
import { commitDigest } from '../classic.ts';
import type { ExecDefinition, SourceDefinition } from '../graph/operations.ts';
import { inOrder } from '../graph/vertex.ts';
import type { FileSource } from '../session/file-source.ts';
import { imageUrl } from './package-url.ts';
import { buildSteps } from './provenance-steps.ts';
import type { Attestation } from './statement.ts';

/** Attributes of `--provenance`, as they were given. */
export type ProvenanceWish = Readonly<Record<string, string>>;

export interface ProvenanceWork {
  built: Built;
  /** The files come from an address; empty: from the client. */
  remote: string;
  /** The same for all images of a build. */
  invocation: string;
  /** Unix milliseconds. */
  finished: number;
  /** What the client knows of the folder: `source`, `revision`. */
  vcs: Readonly<Record<string, string>>;
  /** Packed layers by diff id, where they are known. */
  packed: ReadonlyMap<string, Descriptor>;
}

interface Dependency {
  uri: string;
  digest?: Record<string, string>;
}

/** The predicate of version 1. */
export interface ProvenancePredicate {
  buildDefinition: {
    buildType: string;
    externalParameters: {
      configSource: { uri?: string; digest?: Record<string, string>; path?: string };
      request: Record<string, unknown>;
    };
    internalParameters: { buildConfig?: object; builderPlatform: string };
    resolvedDependencies?: Dependency[];
  };
  runDetails: {
    builder: { id: string };
    metadata: {
      invocationId: string;
      startedOn: string;
      finishedOn: string;
      buildkit_metadata: Record<string, unknown>;
      buildkit_hermetic?: boolean;
      buildkit_completeness: { request: boolean; resolvedDependencies: boolean };
      buildkit_reproducible?: boolean;
    };
  };
}

const types = {
  v1: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
  'v0.2': 'https://mobyproject.org/buildkit@v1',
};

/** An invocation's id, as BuildKit's: 25 letters and digits. */
export function newInvocation(): string {
  return BigInt(`0x${randomBytes(17).toString('hex')}`)
    .toString(36)
    .slice(-25)
    .padStart(25, '0');
}

/** The attestation that `--provenance` asks for. */
export async function provenance(image: BuiltImage, wish: ProvenanceWish, work: ProvenanceWork): Promise<Attestation> {
  const predicate = await provenancePredicate(image, wish, work);
  const isOld = wish['version'] === 'v0.2';
  return {
    predicateType: isOld ? 'https://slsa.dev/provenance/v0.2' : 'https://slsa.dev/provenance/v1',
    predicate: isOld ? asVersion02(predicate) : predicate,
    filename: wish['filename'] ?? 'provenance.json',
    inlineOnly: isTrue(wish['inline-only']),
  };
}

export async function provenancePredicate(
  image: BuiltImage,
  wish: ProvenanceWish,
  work: ProvenanceWork,
): Promise<ProvenancePredicate> {
  const isFull = wish['mode'] !== 'min';
  const found = await captured(image, work);
  const remote = await remoteSource(work);
  if (remote) found.dependencies.push(remote);
  const locals = work.remote === '' ? [{ name: 'context' }, { name: 'dockerfile' }] : found.locals;
  const args = requestArguments(work.built, isFull);
  const isComplete = locals.length === 0;
  const steps = isFull ? buildSteps(image, { source: work.built.source, packed: work.packed }) : null;
  return {
    buildDefinition: {
      buildType: types.v1,
      externalParameters: {
        configSource: {
          ...remote,
          ...(work.built.source.name !== '' && { path: work.built.source.name }),
        },
        request: {
          frontend: 'dockerfile.v0',
          ...(Object.keys(args).length > 0 && { args }),
          ...(isFull && found.secrets.length > 0 && { secrets: found.secrets }),
          ...(isFull && found.ssh.length > 0 && { ssh: found.ssh }),
          ...(locals.length > 0 && { locals }),
        },
      },
      internalParameters: {
        ...(steps && { buildConfig: { llbDefinition: steps.steps, digestMapping: steps.digests } }),
        builderPlatform: formatPlatform(hostPlatform()),
      },
      ...(found.dependencies.length > 0 && { resolvedDependencies: found.dependencies }),
    },
    runDetails: {
      builder: { id: wish['builder-id'] ?? '' },
      metadata: {
        invocationId: work.invocation,
        startedOn: new Date(work.built.started).toISOString(),
        finishedOn: new Date(work.finished).toISOString(),
        buildkit_metadata: {
          ...(Object.keys(work.vcs).length > 0 && { vcs: work.vcs }),
          ...(steps && { source: steps.source }),
          ...(steps && Object.keys(steps.layers).length > 0 && { layers: steps.layers }),
        },
        ...(isComplete && !found.usesNetwork && { buildkit_hermetic: true }),
        buildkit_completeness: {
          request: isFull || !hasGiven(work.built),
          resolvedDependencies: isComplete,
        },
        ...(isTrue(wish['reproducible']) && { buildkit_reproducible: true }),
      },
    },
  };
}

/** The address that the context came from. */
async function remoteSource({ remote, built }: ProvenanceWork): Promise<Dependency | null> {
  if (remote === '') return null;
  const digest = await built.contextDigest?.();
  return { uri: redactedAddress(remote), ...(digest !== undefined && { digest: digestSet(digest) }) };
}

function isTrue(text: string | undefined): boolean {
  return goBoolean(text ?? '') === true;
}

/** What the builder was asked by names of BuildKit's Dockerfile frontend. */
function requestArguments({ options }: Built, isFull: boolean): Record<string, string> {
  const prefixed = (prefix: string, pairs: Readonly<Record<string, string>>): [string, string][] =>
    Object.entries(pairs).map(([name, value]) => [`${prefix}:${name}`, value]);
  const { noCache, noCacheFilter } = options;
  const known: [string, string][] = [
    ...(isFull ? [...prefixed('build-arg', options.buildArguments), ...prefixed('label', options.labels)] : []),
    ...(options.target === '' ? [] : [['target', options.target] as [string, string]]),
    ...(noCache || noCacheFilter.length > 0 ? [['no-cache', noCacheFilter.join(',')] as [string, string]] : []),
    ...(options.network === '' || options.network === 'default'
      ? []
      : [['force-network-mode', options.network] as [string, string]]),
    ...(options.extraHosts.length === 0 ? [] : [['add-hosts', options.extraHosts.join(',')] as [string, string]]),
  ];
  return Object.fromEntries(known.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function hasGiven({ options }: Built): boolean {
  return Object.keys(options.buildArguments).length > 0 || Object.keys(options.labels).length > 0;
}

interface Captured {
  dependencies: Dependency[];
  locals: { name: string }[];
  secrets: { id: string; optional?: boolean }[];
  ssh: { id: string; optional?: boolean }[];
  usesNetwork: boolean;
}

/** What the image's graph takes from outside. */
async function captured(image: BuiltImage, work: ProvenanceWork): Promise<Captured> {
  const found: Captured = { dependencies: [], locals: [], secrets: [], ssh: [], usesNetwork: false };
  for (const { name, digest, platform } of image.plan.images)
    found.dependencies.push({ uri: imageUrl(name, platform), ...(digest !== '' && { digest: digestSet(digest) }) });
  for (const vertex of inOrder([image.plan.root])) {
    const { kind, definition } = vertex;
    if (kind === 'source')
      await addSource(found, definition as unknown as SourceDefinition, work.built.filesOf(vertex));
    if (kind !== 'exec') continue;
    const { mounts, network } = definition as unknown as ExecDefinition;
    if (network !== 'none') found.usesNetwork = true;
    for (const mount of mounts) {
      if (mount.type !== 'secret' && mount.type !== 'ssh') continue;
      const list = mount.type === 'secret' ? found.secrets : found.ssh;
      if (list.every(({ id }) => id !== mount.id))
        list.push({ id: mount.id, ...(!mount.required && { optional: true }) });
    }
  }
  return found;
}

async function addSource(found: Captured, definition: SourceDefinition, files: FileSource | null): Promise<void> {
  if (definition.source === 'local') {
    // The engine has fetched the context itself.
    if (definition.name !== 'context') found.locals.push({ name: definition.name });
    return;
  }
  const digest =
    definition.source === 'git' ? commitDigest(files?.revision) : await files?.digest(`/${definition.filename}`);
  found.dependencies.push({
    uri: redactedAddress(definition.url),
    ...(digest !== undefined && { digest: digestSet(digest) }),
  });
}

function digestSet(digest: string): Record<string, string> {
  const separator = digest.indexOf(':');
  return { [digest.slice(0, separator)]: digest.slice(separator + 1) };
}

/** The same in the words of version 0.2. */
export function asVersion02({ buildDefinition, runDetails }: ProvenancePredicate): object {
  const { configSource, request } = buildDefinition.externalParameters;
  const { metadata } = runDetails;
  const { path, ...source } = configSource;
  const { buildConfig, builderPlatform } = buildDefinition.internalParameters;
  return {
    builder: runDetails.builder,
    buildType: types['v0.2'],
    ...(buildDefinition.resolvedDependencies && { materials: buildDefinition.resolvedDependencies }),
    invocation: {
      configSource: { ...source, ...(path !== undefined && { entryPoint: path }) },
      parameters: request,
      environment: { platform: builderPlatform },
    },
    ...(buildConfig && { buildConfig }),
    metadata: {
      buildInvocationID: metadata.invocationId,
      buildStartedOn: metadata.startedOn,
      buildFinishedOn: metadata.finishedOn,
      completeness: {
        parameters: metadata.buildkit_completeness.request,
        environment: true,
        materials: metadata.buildkit_completeness.resolvedDependencies,
      },
      reproducible: metadata.buildkit_reproducible ?? false,
      'https://mobyproject.org/buildkit@v1#metadata': metadata.buildkit_metadata,
      ...(metadata.buildkit_hermetic && { 'https://mobyproject.org/buildkit@v1#hermetic': true }),
    },
  };
}
