/** The image side of an engine, without containers and without a server: a store in a directory of its own, and its verbs. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { EventMessage } from '../../src/api/types/events.ts';
import type { Platform } from '../../src/api/types/image.ts';
import type { ProgressMessage } from '../../src/api/types/progress.ts';
import { EventBus } from '../../src/engine/events/event-bus.ts';
import { StoredContainerImages } from '../../src/engine/images/container-images.ts';
import { ImageService } from '../../src/engine/images/image-service.ts';
import { BerthDatabase } from '../../src/store/db/database.ts';
import { ImageStore } from '../../src/store/image-store.ts';
import { Paths } from '../../src/store/paths.ts';
import { helperProgram } from './native-helper.ts';

export interface FakeUser {
  id: string;
  name: string;
  running: boolean;
  image: string;
}

export class ImageEngine {
  readonly root: string;
  readonly paths: Paths;
  readonly database: BerthDatabase;
  readonly store: ImageStore;
  readonly images: ImageService;
  readonly containers: StoredContainerImages;
  readonly bus = new EventBus();
  readonly users: FakeUser[] = [];
  readonly events: EventMessage[] = [];
  readonly warnings: string[] = [];

  /** @param root an earlier engine's data root; a new one otherwise */
  constructor(root: string = mkdtempSync('/var/tmp/berth-test-images-')) {
    this.root = root;
    this.paths = new Paths({ dataRoot: `${root}/data`, execRoot: `${root}/exec` });
    for (const directory of this.paths.directories) mkdirSync(directory, { recursive: true });
    this.database = new BerthDatabase(this.paths.database);
    const helper = helperProgram();
    this.store = new ImageStore({ paths: this.paths, database: this.database, helper });
    this.bus.subscribe((event) => this.events.push(event));
    this.images = new ImageService({
      store: this.store,
      events: this.bus,
      users: { containersOf: (image) => this.users.filter((user) => user.image === image) },
      helper,
      warn: (message) => this.warnings.push(message),
    });
    this.containers = new StoredContainerImages(this.store);
  }

  async load(archive: Uint8Array, options: { quiet?: boolean; platform?: Platform } = {}): Promise<ProgressMessage[]> {
    const messages: ProgressMessage[] = [];
    await this.images.load(
      Readable.from([Buffer.from(archive)], { objectMode: false }),
      { quiet: options.quiet ?? true, platform: options.platform ?? null },
      (message) => messages.push(message),
      new AbortController().signal,
    );
    return messages;
  }

  async save(...names: string[]): Promise<Buffer> {
    const stream = await this.images.save(names, { platform: null }, new AbortController().signal);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  import(source: Uint8Array, options: { name?: string; changes?: string[]; message?: string } = {}): Promise<string> {
    const [repository = '', tag = ''] = (options.name ?? '').split(':');
    return this.images.import(
      Readable.from([Buffer.from(source)], { objectMode: false }),
      { repository, tag, message: options.message ?? '', changes: options.changes ?? [], platform: null },
      () => undefined,
      new AbortController().signal,
    );
  }

  /** Names of the images, the short way; `<none>` for nameless ones. */
  names(filters: Record<string, string[]> = {}, all = false): string[] {
    return this.images
      .list({ all, sharedSize: false, filters: new Map(Object.entries(filters)) })
      .flatMap((image) => (image.RepoTags.length > 0 ? image.RepoTags : ['<none>']))
      .sort();
  }

  /** Ends it as a crash would: nothing is tidied. */
  stop(): void {
    this.database.close();
  }

  [Symbol.dispose](): void {
    this.stop();
    rmSync(this.root, { recursive: true, force: true });
  }
}
