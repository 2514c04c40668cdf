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

/** The page `bench/RESULTS.md`. */
export function renderResults(rows: readonly Row[], machine: string): string {
  const cell = (value: number | undefined, unit: string) =>
    value === undefined ? '' : `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`;
  const lines = rows.map((row) => {
    const judged = verdicts(row).map(({ text, met }) => `${met ? '✓' : '✗'} ${text}`);
    const other = row.other ? `${row.other.name} ${cell(row.other.value, row.unit)}` : '';
    return `| ${row.name} | ${cell(row.berth, row.unit)} | ${cell(row.dockerd, row.unit)} | ${cell(row.podman, row.unit)} | ${other} | ${judged.join('<br>')} | ${row.runs} |`;
  });
  return `# Berth beside dockerd and Podman

Made by \`./quickstart bench\` (\`scripts/bench\`) in one run on one machine, contenders interleaved, client against client, medians. ${machine}

| what | Berth | dockerd | Podman | other | target | runs |
|---|--:|--:|--:|--:|---|--:|
${lines.join('\n')}
`;
}
