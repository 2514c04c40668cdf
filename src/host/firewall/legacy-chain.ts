/**
 * The forward chain of the kernel's older filter, which nf_tables does not show. A host that has rules there has the program that
 * made them; without the program there is nothing to do.
 */
import { readFile } from 'node:fs/promises';

export interface LegacyTools {
  /** Names of the tables in use, one a line; empty where the kernel has none. */
  readTables(): Promise<string>;
  /** Runs `iptables-legacy`, or that of IPv6; gives its output, or null where there is no such program or it fails. */
  run(args: readonly string[]): Promise<string | null>;
}

/** Of this host, one family each. */
export const hostLegacyTools: readonly LegacyTools[] = [
  legacyTools('iptables-legacy', '/proc/net/ip_tables_names'),
  legacyTools('ip6tables-legacy', '/proc/net/ip6_tables_names'),
];

function legacyTools(program: string, namesFile: string): LegacyTools {
  return {
    async readTables() {
      try {
        return await readFile(namesFile, 'utf8');
      } catch {
        // The kernel has no such filter.
        return '';
      }
    },
    async run(args) {
      try {
        const child = Bun.spawn([program, '--wait', ...args], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' });
        const text = await child.stdout.text();
        return (await child.exited) === 0 ? text : null;
      } catch {
        // Not installed.
        return null;
      }
    },
  };
}

/**
 * Lets what enters or leaves through `bridges` pass where the chain drops, as `Firewall.passForeignChains` does for nf_tables.
 * @param owner marks the rules
 * @param tools of one family
 * @returns whether anything changed
 */
export async function passLegacyChain(owner: string, bridges: readonly string[], tools: LegacyTools): Promise<boolean> {
  if (!(await tools.readTables()).split('\n').includes('filter')) return false;
  const listing = (await tools.run(['-S', 'FORWARD']))?.split('\n') ?? [];
  const rules = listing.filter((line) => line.startsWith('-A FORWARD'));
  const closing = rules.find((rule) => /^-A FORWARD -j (DROP|REJECT)\b/.test(rule));
  const drops = closing !== undefined || listing.includes('-P FORWARD DROP');
  const own = rules.filter((rule) => rule.includes(`--comment "${owner} `));
  const wanted = new Set(
    (drops ? bridges : []).flatMap((bridge) => [`${owner} in ${bridge}`, `${owner} out ${bridge}`]),
  );
  let changed = false;
  for (const rule of own) {
    const comment = /--comment "([^"]*)"/.exec(rule)?.[1] ?? '';
    const isReached = closing === undefined || rules.indexOf(rule) < rules.indexOf(closing);
    if (isReached && wanted.delete(comment)) continue;
    await tools.run(['-D', 'FORWARD', ...argumentsOf(comment)]);
    changed = true;
  }
  if (wanted.size === 0) return changed;
  // Rules may have gone meanwhile, so the place is looked up now: numbers begin with 1.
  const now = ((await tools.run(['-S', 'FORWARD'])) ?? '').split('\n').filter((line) => line.startsWith('-A FORWARD'));
  const place = closing === undefined ? -1 : now.indexOf(closing);
  for (const comment of wanted) {
    const where = place < 0 ? ['-A', 'FORWARD'] : ['-I', 'FORWARD', String(place + 1)];
    await tools.run([...where, ...argumentsOf(comment)]);
  }
  return true;
}

/** The rule that a comment names: `<owner> in|out <bridge>`. */
function argumentsOf(comment: string): string[] {
  const [, direction, bridge = ''] = comment.split(' ');
  const side = direction === 'in' ? '-i' : '-o';
  return [side, bridge, '-m', 'comment', '--comment', comment, '-j', 'ACCEPT'];
}
