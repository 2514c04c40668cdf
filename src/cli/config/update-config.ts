import { mkdir, realpath, rename, writeFile } from 'node:fs/promises';
import { type ConfigFile, readConfigFile } from './config-file.ts';

/** Writes config.json anew, keys that are not known here included; readable by its owner only. */
export async function updateConfigFile(directory: string, change: (config: ConfigFile) => ConfigFile): Promise<void> {
  const config = change(await readConfigFile(directory));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const named = `${directory}/config.json`;
  // Where links lead, the file is; the links stay.
  const path = await realpath(named).catch(() => named);
  const unfinished = `${path}.${process.pid}.tmp`;
  await writeFile(unfinished, `${JSON.stringify(config, null, '\t')}\n`, { mode: 0o600 });
  await rename(unfinished, path);
}
