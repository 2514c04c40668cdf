import { expect, test } from 'bun:test';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import { selfSigned } from '../../../test/support/certificate.ts';
import { limitHandshakes } from './handshake-limit.ts';

test('who does not come to the end of the handshake is cut off, who does is not', async () => {
  const certificate = selfSigned('IP:127.0.0.1');
  const server = limitHandshakes(
    createServer(certificate, (socket) => socket.on('data', (data) => void socket.write(data))),
    300,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    let echoed = '';
    const opened = Promise.withResolvers<void>();
    const honest = await Bun.connect({
      hostname: '127.0.0.1',
      port,
      tls: { ca: certificate.cert },
      socket: {
        handshake: () => opened.resolve(),
        data: (_, data) => {
          echoed += String(data);
        },
      },
    });
    await opened.promise;
    const ends = ['', '\x16\x03\x01'].map(async (beginning) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(beginning, 'latin1');
      await new Promise((resolve) => socket.once('close', resolve));
    });
    await Promise.all(ends);
    honest.write('still here');
    while (echoed !== 'still here') await new Promise((resolve) => setImmediate(resolve));
    expect(echoed).toBe('still here');
    honest.end();
  } finally {
    server.close();
  }
});
