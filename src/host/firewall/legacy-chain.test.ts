import { describe, expect, test } from 'bun:test';
import { type LegacyTools, passLegacyChain } from './legacy-chain.ts';

/** A chain that understands the few commands in use. */
class Chain implements LegacyTools {
  readonly rules: string[];
  readonly policy: string;
  readonly tables: string;

  constructor(policy: string, rules: string[] = [], tables = 'nat\nfilter\n') {
    this.policy = policy;
    this.rules = rules;
    this.tables = tables;
  }

  async readTables(): Promise<string> {
    return this.tables;
  }

  async run([command, , ...args]: readonly string[]): Promise<string | null> {
    const rule = (words: readonly string[]): string =>
      `-A FORWARD ${words.map((word) => (word.includes(' ') ? `"${word}"` : word)).join(' ')}`;
    if (command === '-S') return [`-P FORWARD ${this.policy}`, ...this.rules, ''].join('\n');
    if (command === '-A') this.rules.push(rule(args));
    if (command === '-I') this.rules.splice(Number(args[0]) - 1, 0, rule(args.slice(1)));
    if (command === '-D') this.rules.splice(this.rules.indexOf(rule(args)), 1);
    return '';
  }
}

const own = [
  '-A FORWARD -i berth0 -m comment --comment "berth in berth0" -j ACCEPT',
  '-A FORWARD -o berth0 -m comment --comment "berth out berth0" -j ACCEPT',
];

describe('the older filter', () => {
  test('is left alone where it lets everything pass or is not in use', async () => {
    const open = new Chain('ACCEPT', ['-A FORWARD -i x -j DROP']);
    expect(await passLegacyChain('berth', ['berth0'], open)).toBe(false);
    expect(open.rules).toHaveLength(1);
    expect(await passLegacyChain('berth', ['berth0'], new Chain('DROP', [], ''))).toBe(false);
  });

  test('gets its rules once, at the end, and loses them again', async () => {
    const chain = new Chain('DROP', ['-A FORWARD -j DOCKER-USER']);
    expect(await passLegacyChain('berth', ['berth0'], chain)).toBe(true);
    expect(chain.rules).toEqual(['-A FORWARD -j DOCKER-USER', ...own]);
    expect(await passLegacyChain('berth', ['berth0'], chain)).toBe(false);
    expect(await passLegacyChain('berth', [], chain)).toBe(true);
    expect(chain.rules).toEqual(['-A FORWARD -j DOCKER-USER']);
  });

  test('gets them before a closing rule, also when that came later', async () => {
    const closing = '-A FORWARD -j REJECT --reject-with icmp-port-unreachable';
    const chain = new Chain('ACCEPT', [closing]);
    await passLegacyChain('berth', ['berth0'], chain);
    expect(chain.rules).toEqual([...own.toReversed(), closing]);
    const later = new Chain('DROP', [closing, ...own]);
    await passLegacyChain('berth', ['berth0'], later);
    expect(later.rules.toSorted()).toEqual([...own, closing].toSorted());
    expect(later.rules.at(-1)).toBe(closing);
  });
});
