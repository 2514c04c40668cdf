import { Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';

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
export function interimLogs() {
  return { read: async (_c: unknown, _o: unknown): Promise<Readable> => Readable.from([]) };
}
