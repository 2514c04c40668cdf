import { createHash } from 'node:crypto';
import type { StepRunner } from '../../oci/step.ts';
import type { ExecDefinition } from '../graph/operations.ts';
import { digestOf, type Vertex } from '../graph/vertex.ts';
import type { Parts } from '../solve/cache.ts';
import type { OperationRunner, RunContext, Saved, Solved } from '../solve/runner.ts';
import { fileParts } from './selection.ts';
import { DockerfileStepError } from './step-error.ts';
import { type MountMaker, releaseAll } from './step-mounts.ts';
import { removeStubs, stubsOf } from './stubs.ts';
import { type LayerTrees, restoreAbove, topLayer } from './trees.ts';
import { type BuildSession, type BuildValue, lowerOf, treeOf } from './values.ts';

type Work = { session: BuildSession; context: RunContext };

/** Runs commands. */
export class ExecRunner implements OperationRunner<BuildValue, BuildSession> {
  readonly shares = true;
  readonly #trees: LayerTrees;
  readonly #steps: StepRunner;
  readonly #mounts: MountMaker;

  constructor(options: { trees: LayerTrees; steps: StepRunner; mounts: MountMaker }) {
    this.#trees = options.trees;
    this.#steps = options.steps;
    this.#mounts = options.mounts;
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
    const below = treeOf(inputs[0]?.value);
    const lower = await lowerOf(below);
    const { mounts, env, release } = await this.#mounts.prepare(definition.mounts, inputs, work);
    try {
      const stubs = await stubsOf(lower, definition.mounts);
      const layer = await this.#trees.make({ lower, latest: definition.epoch, lease: session.lease }, async (place) => {
        const outcome = await this.#steps.run(
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
        );
        if (outcome.exitCode !== 0) throw new DockerfileStepError(definition.args, outcome);
        await removeStubs(place.upper, stubs);
      });
      return { kind: 'tree', layers: [...below, layer] };
    } finally {
      await releaseAll(release);
    }
  }

  save(value: BuildValue): Promise<string | null> {
    return topLayer(value);
  }

  restore(what: Saved<BuildValue, BuildSession>): Promise<BuildValue | null> {
    return restoreAbove(this.#trees, what);
  }
}
