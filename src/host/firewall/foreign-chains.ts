/**
 * Other programs' forward chains. dockerd and ufw leave `ip filter FORWARD` with the policy drop, others close it with a last rule
 * that drops or rejects. The accept rules that go there have the form that iptables-nft writes itself, so it can list them.
 */
import { MessageWriter, netlinkFlag, readAttributeList, readAttributes, readText } from '../netlink/message.ts';
import type { NetlinkSocket } from '../netlink/netlink-socket.ts';
import {
  Batch,
  chainAttribute,
  compare,
  counter,
  decide,
  type Expression,
  expressionAttribute,
  family,
  familyHeader,
  hook,
  immediateAttribute,
  messageTypeOf,
  meta,
  metaKey,
  nftMessage,
  ruleAttribute,
  verdict,
} from './nf-tables.ts';

interface Chain {
  family: number;
  table: string;
  name: string;
  drops: boolean;
}

interface Rule {
  handle: bigint;
  comment: string;
  /** Ends the walk of every packet in a drop or reject. */
  closes: boolean;
}

const directions = { in: metaKey.inputName, out: metaKey.outputName } as const;
type Direction = keyof typeof directions;

export class ForeignChains {
  readonly #socket: NetlinkSocket;
  readonly #owner: string;

  /** @param owner the engine's table: marks its rules, and is itself left alone */
  constructor(socket: NetlinkSocket, owner: string) {
    this.#socket = socket;
    this.#owner = owner;
  }

  /** See Firewall.passForeignChains. */
  pass(bridges: readonly string[]): string[] {
    const changed: string[] = [];
    for (const chain of this.#forwardChains()) {
      if (this.#passOne(chain, bridges)) changed.push(`${familyName(chain.family)} ${chain.table} ${chain.name}`);
    }
    return changed;
  }

  #passOne(chain: Chain, bridges: readonly string[]): boolean {
    const rules = this.#rules(chain);
    const closing = rules.find((rule) => rule.closes);
    const wanted = new Map<string, { bridge: string; direction: Direction }>();
    if (chain.drops || closing) {
      for (const bridge of bridges) {
        for (const direction of ['in', 'out'] as const) {
          wanted.set(`${this.#owner} ${direction} ${bridge}`, { bridge, direction });
        }
      }
    }
    const batch = new Batch();
    let changes = 0;
    let reachable = true;
    for (const rule of rules) {
      if (rule === closing) reachable = false;
      // A rule behind a newly closed end is of no use any more: it is made again before it.
      if (!rule.comment.startsWith(`${this.#owner} `)) continue;
      if (reachable && wanted.delete(rule.comment)) continue;
      batch.deleteRule({ family: chain.family, table: chain.table, chain: chain.name, handle: rule.handle });
      changes++;
    }
    for (const [comment, { bridge, direction }] of wanted) {
      batch.addRule({
        family: chain.family,
        table: chain.table,
        chain: chain.name,
        expressions: acceptRule(bridge, direction),
        comment,
        ...(closing ? { before: closing.handle } : {}),
      });
      changes++;
    }
    if (changes === 0) return false;
    const isMissing = wanted.size > 0;
    this.#socket.run(batch.end(), `let containers through ${chain.table} ${chain.name}`);
    return isMissing;
  }

  #forwardChains(): Chain[] {
    const writer = new MessageWriter();
    writer.begin(messageTypeOf(nftMessage.getChain), netlinkFlag.dump, familyHeader(family.unspecified));
    const found: Chain[] = [];
    for (const { payload } of this.#socket.dump(writer, 'list firewall chains')) {
      const of = payload[0] ?? 0;
      if (of !== family.inet && of !== family.ipv4 && of !== family.ipv6) continue;
      const attributes = readAttributes(payload.subarray(4));
      const base = attributes.get(chainAttribute.hook);
      if (!base || readAttributes(base).get(1)?.readUInt32BE(0) !== hook.forward) continue;
      if (readText(attributes.get(chainAttribute.type)) !== 'filter') continue;
      const table = readText(attributes.get(chainAttribute.table));
      if (of === family.inet && table === this.#owner) continue;
      found.push({
        family: of,
        table,
        name: readText(attributes.get(chainAttribute.name)),
        drops: attributes.get(chainAttribute.policy)?.readUInt32BE(0) === verdict.drop,
      });
    }
    return found;
  }

  #rules(chain: Chain): Rule[] {
    const writer = new MessageWriter();
    writer.begin(messageTypeOf(nftMessage.getRule), netlinkFlag.dump, familyHeader(chain.family));
    writer.text(ruleAttribute.table, chain.table);
    writer.text(ruleAttribute.chain, chain.name);
    return this.#socket.dump(writer, 'list firewall rules').map(({ payload }) => {
      const attributes = readAttributes(payload.subarray(4));
      return {
        handle: attributes.get(ruleAttribute.handle)?.readBigUInt64BE(0) ?? 0n,
        comment: readComment(attributes.get(ruleAttribute.userData)),
        closes: closes(attributes.get(ruleAttribute.expressions)),
      };
    });
  }
}

/** The name is compared with its final zero only, as iptables-nft has it. */
function acceptRule(bridge: string, direction: Direction): Expression[] {
  return [meta(directions[direction]), compare('is', Buffer.from(`${bridge}\0`)), counter(), decide(verdict.accept)];
}

/** A rule without any condition that drops or rejects. */
function closes(expressions: Buffer | undefined): boolean {
  if (!expressions) return false;
  for (const [, element] of readAttributeList(expressions)) {
    const attributes = readAttributes(element);
    const name = readText(attributes.get(expressionAttribute.name));
    if (name === 'counter' || name === 'log') continue;
    if (name === 'reject') return true;
    const data = attributes.get(expressionAttribute.data);
    if (name === 'target') return data !== undefined && readText(readAttributes(data).get(1)) === 'REJECT';
    if (name !== 'immediate' || !data) return false;
    const value = readAttributes(data).get(immediateAttribute.data);
    const decision = value && readAttributes(value).get(immediateAttribute.verdict);
    return (
      decision !== undefined && readAttributes(decision).get(immediateAttribute.code)?.readInt32BE(0) === verdict.drop
    );
  }
  return false;
}

/** The comment among a rule's user data: type, length, text with its final zero. */
function readComment(data: Buffer | undefined): string {
  for (let at = 0; data && at + 2 <= data.length; at += 2 + (data[at + 1] ?? 0)) {
    if (data[at] === 0) return readText(data.subarray(at + 2, at + 2 + (data[at + 1] ?? 0)));
  }
  return '';
}

function familyName(value: number): string {
  if (value === family.inet) return 'inet';
  return value === family.ipv6 ? 'ip6' : 'ip';
}
