/** What a case measured, and the page that is made of it. */

export interface Row {
  /** What is done. */
  name: string;
  unit: 'ms' | 's' | 'MB' | 'KB' | '%';
  berth: number;
  /** Absent where the peer cannot do it or is not asked. */
  dockerd?: number;
  podman?: number;
  /** Another yardstick, named. */
  other?: { name: string; value: number };
  /** Upper bounds: ratio to a peer, or an absolute figure in the row's unit. */
  target: { of: 'dockerd' | 'podman' | 'other' | 'absolute'; atMost: number }[];
  /** Runs of which the figures are medians. */
  runs: number;
}

/** Whether each target is met, in the order of `row.target`. */
export function verdicts(row: Row): { text: string; met: boolean }[] {
  return row.target.map(({ of, atMost }) => {
    if (of === 'absolute') return { text: `≤ ${atMost} ${row.unit}`, met: row.berth <= atMost };
    const yardstick = of === 'other' ? row.other?.value : row[of];
    if (yardstick === undefined) return { text: `≤ ${atMost} × ${of}: not measured`, met: false };
    const ratio = row.berth / yardstick;
    const name = of === 'other' ? row.other?.name : of;
    return { text: `${ratio.toFixed(2)} × ${name} (≤ ${atMost})`, met: ratio <= atMost };
  });
}

/** What one case measured, contenders side by side. */
export interface Measured {
  /** Day, as YYYY-MM-DD. */
  day: string;
  /** Of the source that was measured, short. */
  commit: string;
  machine: string;
  rows: Row[];
}

/** The page `bench/RESULTS.md`: one table for each case, in the order given. */
export function renderResults(cases: readonly (readonly [string, Measured])[]): string {
  const sections = cases.map(
    ([name, { day, commit, machine, rows }]) => `## ${name}

\`scripts/bench ${name}\`, ${day}, at ${commit}. ${machine}

| what | Berth | dockerd | Podman | other | target | runs |
|---|--:|--:|--:|--:|---|--:|
${rows.map(renderRow).join('\n')}
`,
  );
  return `# Berth beside dockerd and Podman

Made by \`./quickstart bench\`; each table is one run on one machine, contenders interleaved, client against client, medians.

${sections.join('\n')}`;
}

function renderRow(row: Row): string {
  const judged = verdicts(row).map(({ text, met }) => `${met ? '✓' : '✗'} ${text}`);
  const other = row.other ? `${row.other.name} ${cell(row.other.value, row.unit)}` : '';
  return `| ${row.name} | ${cell(row.berth, row.unit)} | ${cell(row.dockerd, row.unit)} | ${cell(row.podman, row.unit)} | ${other} | ${judged.join('<br>')} | ${row.runs} |`;
}

function cell(value: number | undefined, unit: string): string {
  return value === undefined ? '' : `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`;
}
