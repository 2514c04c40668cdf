/**
 * Programs that add commands: `docker-NAME` in a folder of plugins, as Docker's command line knows them (docker-compose,
 * docker-buildx). Such a program tells what it is when asked for `docker-cli-plugin-metadata`, and is run with the whole command line.
 */
import { access, constants, readdir } from 'node:fs/promises';
import type { ConfigFile } from '../config/config-file.ts';

const folders = [
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
];

/** What a plugin says of itself. */
export interface PluginMetadata {
  SchemaVersion: string;
  Vendor: string;
  Version?: string;
  ShortDescription?: string;
  URL?: string;
}

export interface Plugin {
  name: string;
  path: string;
  metadata: PluginMetadata | null;
  /** Why it cannot be used; empty: it can. */
  problem: string;
}

/** Folders of plugins, the first that has one wins. */
function pluginFolders(configDirectory: string, config: ConfigFile): string[] {
  const extra = config['cliPluginsExtraDirs'];
  return [`${configDirectory}/cli-plugins`, ...(Array.isArray(extra) ? extra.map(String) : []), ...folders];
}

/** Path of the plugin's program; undefined: there is none. */
export async function findPlugin(
  name: string,
  configDirectory: string,
  config: ConfigFile,
): Promise<string | undefined> {
  if (!/^[a-z][a-z0-9]*$/.test(name)) return undefined;
  for (const folder of pluginFolders(configDirectory, config)) {
    const path = `${folder}/docker-${name}`;
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

/** All plugins, by name; each is asked what it is. */
export async function listPlugins(configDirectory: string, config: ConfigFile): Promise<Plugin[]> {
  const paths = new Map<string, string>();
  for (const folder of pluginFolders(configDirectory, config))
    for (const file of await readdir(folder).catch(() => [])) {
      const name = /^docker-([a-z][a-z0-9]*)$/.exec(file)?.[1];
      if (name && !paths.has(name) && (await isExecutable(`${folder}/${file}`))) paths.set(name, `${folder}/${file}`);
    }
  const names = [...paths.keys()].sort();
  return await Promise.all(names.map((name) => askPlugin(name, paths.get(name) as string)));
}

/** Milliseconds in which a plugin must have said what it is. */
const patience = 5000;

async function askPlugin(name: string, path: string): Promise<Plugin> {
  try {
    const child = Bun.spawn([path, 'docker-cli-plugin-metadata'], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'ignore',
      timeout: patience,
    });
    const [text, code] = await Promise.all([child.stdout.text(), child.exited]);
    if (code !== 0) throw new Error(`failed to fetch metadata: exit status ${code}`);
    const metadata = JSON.parse(text) as PluginMetadata;
    const problem =
      metadata.SchemaVersion !== '0.1.0'
        ? `plugin SchemaVersion ${JSON.stringify(metadata.SchemaVersion ?? '')} is not valid, must be 0.1.0`
        : metadata.Vendor
          ? ''
          : 'plugin metadata does not define a vendor';
    return { name, path, metadata, problem };
  } catch (error) {
    return { name, path, metadata: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
