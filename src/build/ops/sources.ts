/** What steps begin with: images that are here, files from outside, layers put upon trees. */

import type { ImageDefinition, SourceDefinition } from '../graph/operations.ts';
import { digestOf, type Vertex } from '../graph/vertex.ts';
import type { Parts } from '../solve/cache.ts';
import type { OperationRunner, RunContext, Solved } from '../solve/runner.ts';
import type { LayerTrees } from './trees.ts';
import { type BuildSession, type BuildValue, treeOf } from './values.ts';

type Work = { session: BuildSession; context: RunContext };

/** The layers of an image. */
export class ImageRunner implements OperationRunner<BuildValue, BuildSession> {
  readonly shares = false;
  readonly #trees: LayerTrees;

  constructor(trees: LayerTrees) {
    this.#trees = trees;
  }

  parts(vertex: Vertex): Promise<Parts> {
    const { layers } = vertex.definition as unknown as ImageDefinition;
    return Promise.resolve(new Map([['the base image', digestOf(layers)]]));
  }

  run(vertex: Vertex, _inputs: readonly Solved<BuildValue>[], { session }: Work): Promise<BuildValue> {
    const { layers } = vertex.definition as unknown as ImageDefinition;
    const stored = this.#trees.stored(layers, session);
    if (!stored) throw new Error('a layer of the base image is not in the store');
    return Promise.resolve({ kind: 'tree', layers: stored });
  }

  save(): Promise<null> {
    return Promise.resolve(null);
  }

  restore(): Promise<null> {
    return Promise.resolve(null);
  }
}

/** Files of the client, a repository, an address. */
export class SourceRunner implements OperationRunner<BuildValue, BuildSession> {
  readonly shares = false;

  parts(vertex: Vertex): Promise<Parts> {
    return Promise.resolve(new Map([['the source', digestOf(vertex.definition)]]));
  }

  async run(vertex: Vertex, _inputs: readonly Solved<BuildValue>[], { session, context }: Work): Promise<BuildValue> {
    const definition = vertex.definition as unknown as SourceDefinition;
    const { lease, remote } = session;
    switch (definition.source) {
      case 'local':
        return { kind: 'files', files: await session.files(definition.name, context) };
      case 'http':
        return { kind: 'files', files: await remote.http(definition, { lease, signal: context.signal }) };
      case 'git':
        return { kind: 'files', files: await remote.git(definition, { lease, signal: context.signal }) };
    }
  }

  save(): Promise<null> {
    return Promise.resolve(null);
  }

  restore(): Promise<null> {
    return Promise.resolve(null);
  }
}

/** A layer of its own (`--link`) upon a tree: nothing is copied. */
export class MergeRunner implements OperationRunner<BuildValue, BuildSession> {
  readonly shares = false;

  parts(_vertex: Vertex, inputs: readonly Solved<BuildValue>[]): Promise<Parts> {
    return Promise.resolve(new Map(inputs.map(({ key }, index) => [`input ${index}`, key])));
  }

  run(_vertex: Vertex, inputs: readonly Solved<BuildValue>[]): Promise<BuildValue> {
    return Promise.resolve({ kind: 'tree', layers: inputs.flatMap(({ value }) => [...treeOf(value)]) });
  }

  save(): Promise<null> {
    return Promise.resolve(null);
  }

  restore(): Promise<null> {
    return Promise.resolve(null);
  }
}
