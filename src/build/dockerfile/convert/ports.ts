import { BerthError } from '../../../api/errors.ts';

const highestPort = 65_535;

/** `80`, `80/udp`, `8000-8002/tcp` → each port with its protocol. Error: `invalid`. */
export function exposedPorts(word: string): string[] {
  const match = /^(?:(?:[\d.]+|\[[\da-f:]+\])?:)?(?:\d*(?:-\d+)?:)?(\d+)(?:-(\d+))?(?:\/([a-z]+))?$/i.exec(word);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  const protocol = (match?.[3] ?? 'tcp').toLowerCase();
  if (!match || first > highestPort || last > highestPort || last < first)
    throw new BerthError('invalid', `invalid containerPort: ${word}`);
  if (!['tcp', 'udp', 'sctp'].includes(protocol))
    throw new BerthError('invalid', `invalid port: ${JSON.stringify(word)}: invalid proto: ${protocol}`);
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}
