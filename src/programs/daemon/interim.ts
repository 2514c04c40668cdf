import { Readable } from 'node:stream';

export function interimLogs() {
  return { read: async (_c: unknown, _o: unknown): Promise<Readable> => Readable.from([]) };
}
