/**
 * A small DNS server for tests, run by itself: `bun name-server.ts ADDRESS KIND`. KIND `answers`: every name has the address
 * 192.0.2.7, over UDP and TCP; `fails`: SERVFAIL; `silent`: never answers. Says `ready`.
 */
const [address = '127.0.0.1', kind = 'answers'] = process.argv.slice(2);

function reply(query: Buffer): Buffer | null {
  if (kind === 'silent') return null;
  let end = 12;
  while (query[end] !== 0) end += (query[end] ?? 0) + 1;
  const head = Buffer.from(query.subarray(0, end + 5));
  head.writeUInt16BE(kind === 'fails' ? 0x8182 : 0x8180, 2);
  head.writeUInt16BE(kind === 'fails' ? 0 : 1, 6);
  head.writeUInt32BE(0, 8);
  if (kind === 'fails') return head;
  const isAddress = head.readUInt16BE(end + 1) === 1;
  head.writeUInt16BE(isAddress ? 1 : 0, 6);
  return isAddress ? Buffer.concat([head, Buffer.from('c00c00010001000000050004c0000207', 'hex')]) : head;
}

await Bun.udpSocket({
  hostname: address,
  port: 53,
  socket: {
    data(socket, query, port, from) {
      const answer = reply(query);
      if (answer) socket.send(answer, port, from);
    },
  },
});
Bun.listen({
  hostname: address,
  port: 53,
  socket: {
    data(socket, chunk) {
      const answer = reply(Buffer.from(chunk.subarray(2)));
      if (answer) socket.write(Buffer.concat([Buffer.of(answer.length >> 8, answer.length & 255), answer]));
    },
  },
});
console.log('ready');

export {};
