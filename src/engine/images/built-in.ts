/** Images that come with this program, for the first minutes on a machine that reaches no registry. */
import { chmod, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProgressSink } from '../../api/types/progress.ts';
import { canonicalString, parseReference, type Reference } from '../../oci/reference.ts';
import type { ImageStoreInterface } from '../../store/types.ts';
import { imageFromTree } from './image-from-tree.ts';

export interface BuiltInImages {
  has(reference: Reference): boolean;
  /** Puts the image into the store under this name and says why it was not pulled. */
  provide(reference: Reference, options: { progress: ProgressSink; reason: string }): Promise<void>;
}

/** A fixed date: the same program gives the same image everywhere. */
const made = new Date('2026-01-01T00:00:00Z');
const createdBy = 'berth: built-in hello-world';
const helloWorld = canonicalString(parseReference('hello-world:latest'));

/** hello-world alone. */
export class HelloWorld implements BuiltInImages {
  readonly #store: Pick<ImageStoreInterface, 'lease' | 'ingestLayer' | 'commitImage' | 'reference' | 'image'>;
  readonly #program: () => Promise<Uint8Array>;

  /** @param program gives the static program that greets */
  constructor(
    store: Pick<ImageStoreInterface, 'lease' | 'ingestLayer' | 'commitImage' | 'reference' | 'image'>,
    program: () => Promise<Uint8Array>,
  ) {
    this.#store = store;
    this.#program = program;
  }

  has(reference: Reference): boolean {
    if (canonicalString(reference) !== helloWorld) return false;
    const id = this.#store.reference(helloWorld);
    // The real one, pulled in better days, is not replaced.
    return id === null || this.#store.image(id)?.config.history?.[0]?.created_by === createdBy;
  }

  async provide(reference: Reference, options: { progress: ProgressSink; reason: string }): Promise<void> {
    const { progress, reason } = options;
    progress({ status: `No registry can be reached (${reason})` });
    progress({ status: 'Using the hello-world that comes with Berth' });
    const canonical = canonicalString(reference);
    await imageFromTree(this.#store, {
      fill: async (directory) => {
        const path = join(directory, 'hello');
        await writeFile(path, await this.#program(), { mode: 0o755 });
        await chmod(path, 0o755);
        for (const touched of [path, directory]) await utimes(touched, made, made);
      },
      references: [canonical],
      config: {
        Cmd: ['/hello'],
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        WorkingDir: '/',
      },
      history: () => ({ created: made.toISOString(), createdBy }),
    });
  }
}
