/**
 * A bridge, with the firewall table that carries its name, belongs to one engine. The claim is a listening abstract unix socket
 * (unix(7)): it lives in the network namespace, as the bridge does, and the kernel frees it with the process, however that ends.
 */
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** An engine that was just killed may hold its claim for another moment. In milliseconds. */
const patience = 1000;

/**
 * Takes a bridge for this process until it ends.
 * @returns false when another process of this network namespace has it
 */
export async function claimBridge(name: string): Promise<boolean> {
  const end = performance.now() + patience;
  while (!(await listenAt(`\0berth/bridge/${name}`))) {
    if (performance.now() > end) return false;
    await pause(20);
  }
  return true;
}

async function listenAt(path: string): Promise<boolean> {
  const server = createServer((connection) => connection.destroy());
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ path }, () => resolve(true));
    server.unref();
  });
}
