/**
 * Lists of manifests that were made here and not pushed yet: `<config folder>/manifests/<list>/<manifest>`, a JSON file each, where
 * Docker's client keeps its own.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RemoteManifest } from '../../../api/types/manifest.ts';
import { canonicalString, parseReference, withDefaultTag } from '../../../oci/reference.ts';
import { ExitStatus } from '../../command.ts';

/** The full name of a list or a manifest. Error: `invalid`. */
export function fullName(text: string): string {
  return canonicalString(withDefaultTag(parseReference(text)));
}

function fileName(name: string): string {
  return name.replaceAll(':', '-').replaceAll('/', '_');
}

export class ManifestListFiles {
  readonly #directory: string;

  /** @param configDirectory of the client */
  constructor(configDirectory: string) {
    this.#directory = join(configDirectory, 'manifests');
  }

  #path(list: string): string {
    return join(this.#directory, fileName(list));
  }

  /** Its manifests in the order of their names; null where there is no such list. */
  async read(list: string): Promise<RemoteManifest[] | null> {
    const names = await readdir(this.#path(list)).catch((error: NodeJS.ErrnoException): null => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (names === null) return null;
    const texts = names.sort().map((name) => readFile(join(this.#path(list), name), 'utf8'));
    return (await Promise.all(texts)).map((text) => JSON.parse(text) as RemoteManifest);
  }

  /** As `read`. Error: exit status 1 in Docker's words. */
  async need(list: string): Promise<RemoteManifest[]> {
    const manifests = await this.read(list);
    if (manifests) return manifests;
    throw new ExitStatus(1, `No such manifest: ${list}`);
  }

  async write(list: string, name: string, manifest: RemoteManifest): Promise<void> {
    await mkdir(this.#path(list), { recursive: true, mode: 0o755 });
    await writeFile(join(this.#path(list), fileName(name)), JSON.stringify(manifest));
  }

  /** Error: exit status 1 where it is not in the list. */
  async one(list: string, name: string): Promise<RemoteManifest> {
    await this.need(list);
    const text = await readFile(join(this.#path(list), fileName(name)), 'utf8').catch((): null => null);
    if (text === null) throw new ExitStatus(1, `manifest for image ${name} does not exist in ${list}`);
    return JSON.parse(text) as RemoteManifest;
  }

  async remove(list: string): Promise<void> {
    await this.need(list);
    await rm(this.#path(list), { recursive: true });
  }
}

const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';

/** The document of a list: Docker's form where all its manifests are Docker's, else OCI's. Error: exit status 1 without a platform. */
export function listDocument(list: string, manifests: readonly RemoteManifest[]): { mediaType: string; text: string } {
  for (const { Ref, Descriptor } of manifests)
    if (!Descriptor.platform?.architecture || !Descriptor.platform.os)
      throw new ExitStatus(1, `manifest ${Ref} must have an OS and Architecture to be pushed to a registry`);
  const isDocker = manifests.every(({ Descriptor }) => Descriptor.mediaType.startsWith('application/vnd.docker.'));
  const mediaType = isDocker ? dockerList : ociIndex;
  if (manifests.length === 0) throw new ExitStatus(1, `${list} is empty`);
  const entries = manifests.map(({ Descriptor: { mediaType: type, size, digest, platform } }) => ({
    mediaType: type,
    size,
    digest,
    platform,
  }));
  return { mediaType, text: JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }, null, 3) };
}
