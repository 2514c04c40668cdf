import { open } from 'node:fs/promises';
import { KeyedMutex } from '../../base/mutex.ts';

export type EtcFile = 'hosts' | 'resolvConf';

/** The files in /etc of running containers that the engine writes. */
export interface EtcEditor {
  /** Makes the new text of the old one; false: there is no such file. One edit of a container's files at a time. */
  edit(containerId: string, file: EtcFile, change: (text: string) => string): Promise<boolean>;
}

/** @param pathsOf where a container's files are */
export function etcEditor(pathsOf: (containerId: string) => Record<EtcFile, string>): EtcEditor {
  const mutex = new KeyedMutex();
  return {
    edit: (containerId, file, change) => mutex.run(containerId, () => editFile(pathsOf(containerId)[file], change)),
  };
}

/** In place: the container goes on seeing the file that was mounted. */
async function editFile(path: string, change: (text: string) => string): Promise<boolean> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  try {
    const text = await file.readFile('utf8');
    const next = change(text);
    if (next === text) return true;
    const bytes = Buffer.from(next);
    await file.write(bytes, 0, bytes.length, 0);
    await file.truncate(bytes.length);
    return true;
  } finally {
    await file.close();
  }
}
