/**
 * The config document of an image (https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md, Docker's
 * `application/vnd.docker.container.image.v1+json` is the same with more keys). Its digest is the image's id.
 */
import { isDigest, sha256 } from './digest.ts';
import { parseObject, unreadable } from './manifest.ts';
import type { Platform } from './platform.ts';

/** What a container made from the image starts with; keys as Docker writes them. */
export interface ContainerDefaults {
  User?: string;
  ExposedPorts?: Record<string, object> | null;
  Env?: string[] | null;
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  Volumes?: Record<string, object> | null;
  WorkingDir?: string;
  Labels?: Record<string, string> | null;
  StopSignal?: string;
  Healthcheck?: object | null;
  Shell?: string[] | null;
  OnBuild?: string[] | null;
  ArgsEscaped?: boolean;
}

/** All keys of the defaults, in the order of Docker's own type. */
export const defaultsKeys = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'ArgsEscaped',
  'Healthcheck',
  'OnBuild',
  'Shell',
] as const satisfies readonly (keyof ContainerDefaults)[];

export interface HistoryEntry {
  created?: string;
  created_by?: string;
  author?: string;
  comment?: string;
  /** The step made no layer. */
  empty_layer?: boolean;
}

/** The document as stored; keys that we do not know are kept by whoever keeps the bytes. */
export interface ImageConfigDocument {
  architecture: string;
  os: string;
  variant?: string;
  'os.version'?: string;
  /** RFC 3339. */
  created?: string;
  author?: string;
  config?: ContainerDefaults;
  rootfs: { type: 'layers'; diff_ids: string[] };
  history?: HistoryEntry[];
  /** Docker's classic builder writes these two. */
  comment?: string;
  docker_version?: string;
}

/** No config is longer: labels and histories are bounded by what a manifest's reader holds in memory. */
export const longestConfig = 16 * 1024 * 1024;

/** Reads a config. Wrong types in the parts that the engine uses are an error of kind `invalid`; unknown keys are fine. */
export function parseImageConfig(bytes: Uint8Array): ImageConfigDocument {
  const json = parseObject(bytes, 'image config');
  const { rootfs, history, config } = json;
  if (typeof rootfs !== 'object' || rootfs === null) throw unreadable('image config', 'it has no rootfs');
  const { type, diff_ids: diffIds } = rootfs as Record<string, unknown>;
  if (type !== 'layers') throw unreadable('image config', `unknown rootfs type ${JSON.stringify(type)}`);
  if (diffIds !== undefined && diffIds !== null && !Array.isArray(diffIds))
    throw unreadable('image config', 'rootfs.diff_ids is no list');
  const ids = (diffIds ?? []) as unknown[];
  if (!ids.every((id): id is string => typeof id === 'string' && isDigest(id)))
    throw unreadable('image config', 'rootfs.diff_ids has an entry that is no digest');
  if (history !== undefined && history !== null && !Array.isArray(history))
    throw unreadable('image config', 'history is no list');
  checkDefaults(config);
  return {
    ...(json as object),
    architecture: text(json, 'architecture'),
    os: text(json, 'os'),
    ...(config ? { config: config as ContainerDefaults } : { config: undefined }),
    rootfs: { type: 'layers', diff_ids: ids },
    history: (history ?? []) as HistoryEntry[],
  } as ImageConfigDocument;
}

function text(json: Record<string, unknown>, key: string): string {
  const value = json[key] ?? '';
  if (typeof value !== 'string') throw unreadable('image config', `${key} is no string`);
  return value;
}

const isStrings = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string');
const isString = (value: unknown): boolean => typeof value === 'string';
const isMap = (value: unknown): boolean => typeof value === 'object' && !Array.isArray(value);

const defaultsTypes: Partial<Record<keyof ContainerDefaults, (value: unknown) => boolean>> = {
  User: isString,
  ExposedPorts: isMap,
  Env: isStrings,
  Entrypoint: isStrings,
  Cmd: isStrings,
  Volumes: isMap,
  WorkingDir: isString,
  Labels: (value) => isMap(value) && Object.values(value as object).every(isString),
  StopSignal: isString,
  Healthcheck: isMap,
  Shell: isStrings,
  OnBuild: isStrings,
};

function checkDefaults(config: unknown): void {
  if (config === undefined || config === null) return;
  if (!isMap(config)) throw unreadable('image config', 'config is no object');
  for (const [key, fits] of Object.entries(defaultsTypes)) {
    const value = (config as Record<string, unknown>)[key];
    if (value !== undefined && value !== null && !fits(value))
      throw unreadable('image config', `config.${key} has the wrong type`);
  }
}

/** The platform that an image is for. */
export function configPlatform(config: ImageConfigDocument): Platform {
  return {
    os: config.os || 'linux',
    architecture: config.architecture,
    ...(config.variant && { variant: config.variant }),
    ...(config['os.version'] && { 'os.version': config['os.version'] }),
  };
}

/**
 * Chain ids of a stack of layers, the bottom first: what identifies a layer together with everything below it
 * (https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md#layer-chainid).
 */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : sha256(`${below} ${diffId}`));
  }
  return chain;
}
