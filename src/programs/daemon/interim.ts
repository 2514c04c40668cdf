import { Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import { canonicalString, parseReference, withDefaultTag } from '../../oci/reference.ts';
import type { ImageStore } from '../../store/image-store.ts';

export function interimNetworks() {
  return {
    allocate: async () => ({
      plan: { kind: 'new' as const, interfaces: [], ports: [] },
      hosts: '127.0.0.1 localhost\n',
      resolvConf: '',
      networks: {},
      ports: {},
    }),
    release: async () => {},
    reconcile: async () => {},
    list: () => [],
    inspect: (id: string): never => {
      throw new BerthError('not-found', `network ${id} not found`);
    },
  };
}
export function interimImages(store: ImageStore) {
  const no = (): never => {
    throw new BerthError('not-implemented', 'no');
  };
  return {
    resolve(reference: string) {
      const id = reference.startsWith('sha256:')
        ? reference
        : store.reference(canonicalString(withDefaultTag(parseReference(reference))));
      const image = id ? store.image(id) : null;
      if (!image) throw new BerthError('not-found', `No such image: ${reference}`);
      return {
        id: image.id,
        os: 'linux',
        architecture: 'amd64',
        config: (image.config.config ?? {}) as object,
        lower: store.lower(image.layers),
      };
    },
    list: () => [],
    inspect: no,
    history: no,
    tag: no,
    remove: no,
    prune: no,
    transfer: { push: no, load: no, save: no, import: no },
  };
}
export function interimLogs() {
  return { read: async (_c: unknown, _o: unknown): Promise<Readable> => Readable.from([]) };
}
