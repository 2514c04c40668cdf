/** Everything about images that talks to registries or stands in for them, wired together for one engine. */
import { readFile } from 'node:fs/promises';
import { Registries, type RegistrySettings } from '../../distribution/registries.ts';
import type { ImageStoreInterface } from '../../store/types.ts';
import type { EventBus } from '../events/event-bus.ts';
import { ImageBootstrap } from './bootstrap/bootstrap.ts';
import { HelloWorld } from './built-in.ts';
import { embeddedHello } from './embedded-hello.ts';
import { LayerTransfers } from './layer-transfers.ts';
import { ImagePull } from './pull.ts';
import { RegistryQueries } from './registry-queries.ts';

export interface RegistryImagesOptions {
  store: ImageStoreInterface;
  events: EventBus;
  /** `paths.downloads` */
  downloads: string;
  registries: RegistrySettings;
  /** `max-concurrent-downloads` */
  concurrentDownloads?: number;
  /** `max-download-attempts` */
  downloadAttempts?: number;
}

export interface RegistryImages {
  /** `pull(options, progress, signal)` of the image routes. */
  pull: ImagePull;
  /** `bootstrap(name, progress, signal)` */
  bootstrap: ImageBootstrap;
  /** `distribution(reference, auth)` and `authenticate(auth)` */
  queries: RegistryQueries;
  /** Removes half-fetched blobs that nobody came back for; call it now and then. */
  sweep(): Promise<void>;
}

/** Error: `invalid` for a mirror or an insecure registry that cannot be read. */
export function registryImages(options: RegistryImagesOptions): RegistryImages {
  const { store, events } = options;
  const registries = new Registries(options.registries);
  const layers = new LayerTransfers({
    store,
    directory: options.downloads,
    concurrentDownloads: options.concurrentDownloads,
    downloadAttempts: options.downloadAttempts,
  });
  const builtIn = new HelloWorld(store, () => readFile(embeddedHello));
  return {
    pull: new ImagePull({ store, registries, layers, events, builtIn }),
    bootstrap: new ImageBootstrap({ store, events }),
    queries: new RegistryQueries(registries),
    sweep: () => layers.sweep(),
  };
}
