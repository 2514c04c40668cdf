import { createHash } from 'node:crypto';
import { BerthError } from '../../api/errors.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { StepRunner } from '../../oci/step.ts';
import type { ExecDefinition } from '../graph/operations.ts';
import { digestOf, type Vertex } from '../graph/vertex.ts';
import type { Parts } from '../solve/cache.ts';
import type { OperationRunner, RunContext, Saved, Solved } from '../solve/runner.ts';
import { fileParts } from './selection.ts';
import { DockerfileStepError, notStarted } from './step-error.ts';
import { type MountMaker, releaseAll } from './step-mounts.ts';
import { removeStubs, stubsOf } from './stubs.ts';
import { type LayerTrees, restoredLayer, savedLayer } from './trees.ts';
import { type BuildSession, type BuildValue, lowerOf, treeOf } from './values.ts';

type Work = { session: BuildSession; context: RunContext };

/** Runs commands. */
export class ExecRunner implements OperationRunner<BuildValue, BuildSession> {
  readonly shares = true;
  readonly #trees: LayerTrees;
  readonly #steps: StepRunner;
  readonly #mounts: MountMaker;
  readonly #interpreted: () => Promise<ReadonlySet<string>>;

  constructor(options: {
    trees: LayerTrees;
    steps: StepRunner;
    mounts: MountMaker;
    interpreted: () => Promise<ReadonlySet<string>>;
  }) {
    this.#trees = options.trees;
    this.#steps = options.steps;
    this.#mounts = options.mounts;
    this.#interpreted = options.interpreted;
  }

  async parts(vertex: Vertex, inputs: readonly Solved<BuildValue>[]): Promise<Parts> {
    const definition = vertex.definition as unknown as ExecDefinition;
    const { env, args, mounts, ...rest } = definition;
    const parts = new Map<string, string>([
      ['the command', digestOf(args)],
      ['its options', digestOf({ ...rest, mounts })],
    ]);
    for (const entry of env) {
      const [name = ''] = entry.split('=', 1);
      // A value may be somebody's password: only what it comes to is kept.
      parts.set(`variable ${name}`, createHash('sha256').update(entry).digest('hex').slice(0, 32));
    }
    parts.set('input 0', inputs[0]?.key ?? '');
    for (const mount of mounts) {
      if (mount.type !== 'bind') continue;
      const input = inputs[mount.input];
      if (input?.value.kind === 'files')
        for (const [part, value] of await fileParts(input.value.files, mount.source)) parts.set(part, value);
      else parts.set(`input ${mount.input}`, input?.key ?? '');
    }
    return parts;
  }

  async run(vertex: Vertex, inputs: readonly Solved<BuildValue>[], work: Work): Promise<BuildValue> {
    const definition = vertex.definition as unknown as ExecDefinition;
    const { session, context } = work;
    await this.#checkPlatform(vertex);
    const below = treeOf(inputs[0]?.value);
    const lower = await lowerOf(below);
    const { mounts, env, release } = await this.#mounts.prepare(definition.mounts, inputs, work);
    try {
      const stubs = await stubsOf(lower, definition.mounts);
      const layer = await this.#trees.make({ lower, latest: definition.epoch, lease: session.lease }, async (place) => {
        const outcome = await this.#steps
          .run(
            {
              lower: place.lower,
              upper: place.upper,
              work: place.work,
              args: definition.args,
              env: [...definition.env, ...((vertex.aside['env'] as string[] | undefined) ?? []), ...env],
              directory: definition.directory,
              user: definition.user,
              network: definition.network,
              privileged: definition.security === 'insecure',
              mounts,
              extraHosts: definition.extraHosts,
              limits: definition.limits,
            },
            { signal: context.signal, output: (stream, data) => context.output(stream, data) },
          )
          .catch((error: unknown) => notStarted(definition.args, error));
        if (outcome.exitCode !== 0) throw new DockerfileStepError(definition.args, outcome);
        await removeStubs(place.upper, stubs);
      });
      return { kind: 'tree', layers: [...below, layer] };
    } finally {
      await releaseAll(release);
    }
  }

  /** Error: `invalid` for a command of a processor that this machine neither is nor has an interpreter for. */
  async #checkPlatform({ aside }: Vertex): Promise<void> {
    const platform = aside['platform'] as Platform | undefined;
    if (platform === undefined) return;
    if (platform.os === 'linux' && (await this.#interpreted()).has(platform.architecture)) return;
    throw new BerthError('invalid', `RUN of ${formatPlatform(platform)}: this machine cannot run its programs`, {
      hint: 'Register an interpreter with binfmt_misc (Debian: qemu-user-static), or build with FROM --platform=$BUILDPLATFORM.',
    });
  }

  save(value: BuildValue, inputs: readonly Solved<BuildValue>[]): Promise<string | null> {
    return savedLayer(value, seenBy(inputs));
  }

  async restore(what: Saved<BuildValue, BuildSession>): Promise<BuildValue | null> {
    const layers = await restoredLayer(this.#trees, what, seenBy(what.inputs));
    return layers && { kind: 'tree', layers: [...treeOf(what.inputs[0]?.value), ...layers] };
  }
}

/** The tree that a command runs in, and those that are mounted. */
function seenBy(inputs: readonly Solved<BuildValue>[]): BuildValue[] {
  return inputs.map(({ value }) => value).filter(({ kind }) => kind === 'tree');
}
