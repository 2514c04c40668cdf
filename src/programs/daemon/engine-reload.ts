/** What SIGHUP changes in an engine that runs. */
import { Registries } from '../../distribution/registries.ts';
import type { ContainerSettings } from '../../engine/containers/settings.ts';
import type { LayerTransfers } from '../../engine/images/layer-transfers.ts';
import type { ImagePush } from '../../engine/images/push.ts';
import type { SystemSettings } from '../../engine/system/system.ts';
import { concurrency, type DaemonConfig } from './config.ts';
import { findDefaultRuntime, findRuntimes } from './settings.ts';

export interface ReloadedParts {
  system: Pick<SystemSettings, 'debug' | 'labels' | 'registryMirrors' | 'insecureRegistries'>;
  containers: ContainerSettings;
  registries: Registries;
  transfers: LayerTransfers;
  push: ImagePush;
}

/** Judges first, then changes: error `invalid` leaves everything as it was. */
export function reloadEngine(config: DaemonConfig, parts: ReloadedParts): void {
  const registries = makeRegistries(config);
  const runtimes = findRuntimes(config);
  const defaultRuntime = findDefaultRuntime(config, runtimes);
  parts.registries.become(registries);
  Object.assign(parts.containers, { runtimes, defaultRuntime });
  Object.assign(parts.system, systemParts(config));
  const { downloads, uploads, attempts } = concurrency(config);
  parts.transfers.limit(downloads, attempts);
  parts.push.concurrentUploads = uploads;
}

/** Error: `invalid` in dockerd's words. */
export function makeRegistries(config: DaemonConfig): Registries {
  return new Registries({ mirrors: config['registry-mirrors'], insecureRegistries: config['insecure-registries'] });
}

/** The part of `GET /info` that follows the configuration. */
export function systemParts(config: DaemonConfig): ReloadedParts['system'] {
  return {
    debug: config.debug,
    labels: config.labels,
    // dockerd shows each with one slash at its end.
    registryMirrors: config['registry-mirrors'].map((mirror) => `${mirror.replace(/\/+$/, '')}/`),
    insecureRegistries: config['insecure-registries'],
  };
}
