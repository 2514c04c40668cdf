import { keyOf } from './environment.ts';

export interface LinkFacts {
  /** What the container calls the other one. */
  alias: string;
  /** Of the other one. */
  address: string;
  /** `80/tcp`: what it exposes. */
  ports: readonly string[];
  /** `/container/alias` */
  name: string;
  /** Of the other one. */
  variables: readonly string[];
}

interface Port {
  number: number;
  protocol: string;
}

/** Variables of the other container that say nothing about it. */
const withheld = new Set(['HOME', 'PATH']);

/** `DB_PORT_5432_TCP_ADDR=…` and its like, as Docker has them (https://docs.docker.com/engine/network/links/). */
export function linkVariables({ alias, address, ports, name, variables }: LinkFacts): string[] {
  const prefix = alias.replaceAll('-', '_').toUpperCase();
  const sorted = ports.map(parsePort).sort(byProtocolAndNumber);
  const url = ({ number, protocol }: Port): string => `${protocol}://${address}:${number}`;
  const keyed = ({ number, protocol }: Port): string => `${prefix}_PORT_${number}_${protocol.toUpperCase()}`;
  const [first] = sorted;
  const result = first ? [`${prefix}_PORT=${url(first)}`] : [];
  for (const run of consecutive(sorted)) {
    for (const port of run) {
      const key = keyed(port);
      result.push(
        ...[`${key}=${url(port)}`, `${key}_ADDR=${address}`, `${key}_PORT=${port.number}`],
        `${key}_PROTO=${port.protocol}`,
      );
    }
  }
  for (const run of consecutive(sorted)) {
    const [begin, end] = [run[0] as Port, run.at(-1) as Port];
    if (begin === end) continue;
    const key = keyed(begin);
    result.push(
      ...[`${key}_START=${url(begin)}`, `${key}_PORT_START=${begin.number}`],
      ...[`${key}_END=${url(end)}`, `${key}_PORT_END=${end.number}`],
    );
  }
  result.push(`${prefix}_NAME=${name}`);
  for (const variable of variables) if (!withheld.has(keyOf(variable))) result.push(`${prefix}_ENV_${variable}`);
  return result;
}

function parsePort(text: string): Port {
  const [number = '', protocol = 'tcp'] = text.split('/');
  return { number: Number(number), protocol };
}

function byProtocolAndNumber(a: Port, b: Port): number {
  if (a.protocol !== b.protocol)
    return a.protocol === 'tcp' ? -1 : b.protocol === 'tcp' ? 1 : a.protocol < b.protocol ? -1 : 1;
  return a.number - b.number;
}

/** Neighbours in number and equal in protocol, together. */
function consecutive(ports: readonly Port[]): Port[][] {
  const runs: Port[][] = [];
  for (const port of ports) {
    const last = runs.at(-1)?.at(-1);
    if (last && last.protocol === port.protocol && last.number + 1 === port.number) runs.at(-1)?.push(port);
    else runs.push([port]);
  }
  return runs;
}
