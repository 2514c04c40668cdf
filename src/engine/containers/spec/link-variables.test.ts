import { expect, test } from 'bun:test';
import { linkVariables } from './link-variables.ts';

test('a link brings address, ports and variables of the other container', () => {
  const variables = linkVariables({
    alias: 'my-db',
    address: '172.17.0.5',
    ports: ['53/udp', '82/tcp', '5432/tcp', '81/tcp'],
    name: '/web/my-db',
    variables: ['PATH=/bin', 'FOO=bar=baz', 'HOME=/x'],
  });
  expect(variables).toEqual([
    'MY_DB_PORT=tcp://172.17.0.5:81',
    ...['81', '82', '5432'].flatMap((port) => [
      `MY_DB_PORT_${port}_TCP=tcp://172.17.0.5:${port}`,
      `MY_DB_PORT_${port}_TCP_ADDR=172.17.0.5`,
      `MY_DB_PORT_${port}_TCP_PORT=${port}`,
      `MY_DB_PORT_${port}_TCP_PROTO=tcp`,
    ]),
    'MY_DB_PORT_53_UDP=udp://172.17.0.5:53',
    'MY_DB_PORT_53_UDP_ADDR=172.17.0.5',
    'MY_DB_PORT_53_UDP_PORT=53',
    'MY_DB_PORT_53_UDP_PROTO=udp',
    'MY_DB_PORT_81_TCP_START=tcp://172.17.0.5:81',
    'MY_DB_PORT_81_TCP_PORT_START=81',
    'MY_DB_PORT_81_TCP_END=tcp://172.17.0.5:82',
    'MY_DB_PORT_81_TCP_PORT_END=82',
    'MY_DB_NAME=/web/my-db',
    'MY_DB_ENV_FOO=bar=baz',
  ]);
});

test('a container that exposes nothing has a name all the same', () => {
  const facts = { alias: 'a', address: '10.0.0.1', ports: [], name: '/w/a', variables: [] };
  expect(linkVariables(facts)).toEqual(['A_NAME=/w/a']);
});
