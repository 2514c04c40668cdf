import { Client, type ClientOptions } from './client.ts';

/** Where an engine listens unless told otherwise. */
const defaultHost = 'unix:///run/berth/berth.sock';

/**
 * A client with the transport of the program that runs it.
 * @param options.host absent: `DOCKER_HOST`, or Berth's own socket
 * Error: `invalid` for a host that cannot be read. Nothing is connected yet.
 */
export async function openClient(options: Partial<Omit<ClientOptions, 'transport'>> = {}): Promise<Client> {
  const transport =
    process.versions['bun'] === undefined
      ? (await import('./transport/node.ts')).nodeTransport
      : (await import('./transport/bun.ts')).bunTransport;
  return new Client({ ...options, host: options.host || process.env['DOCKER_HOST'] || defaultHost, transport });
}
