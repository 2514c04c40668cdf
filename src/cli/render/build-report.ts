/** Answers about a Dockerfile as `docker build --call` prints them. */
import type { BuildReport, CheckWarning, DockerfileLines, OutlineMount } from '../../api/types/build.ts';

export interface RenderedReport {
  out: string;
  err: string;
  failed: boolean;
}

/** @param file the Dockerfile as the user may call it */
export function renderReport(report: BuildReport, format: 'text' | 'json', file: string): RenderedReport {
  if (format === 'json')
    return { out: `${JSON.stringify(asJson(report), null, 2)}\n`, err: '', failed: hasFailed(report) };
  switch (report.call) {
    case 'check': {
      const { error } = report;
      const place = error === null || error.excerpt === '' ? '' : `${named(error.excerpt, file)}\n`;
      return {
        out: checkText(report.warnings, error !== null, file),
        err: error === null ? '' : `ERROR: ${error.message}\n${place}\n`,
        failed: hasFailed(report),
      };
    }
    case 'outline':
      return { out: outlineText(report), err: '', failed: false };
    case 'targets':
      return { out: targetsText(report), err: '', failed: false };
  }
}

function hasFailed(report: BuildReport): boolean {
  return report.call === 'check' && (report.warnings.length > 0 || report.error !== null);
}

function checkText(warnings: readonly CheckWarning[], hasError: boolean, file: string): string {
  if (warnings.length === 0) return hasError ? '' : 'Check complete, no warnings found.\n';
  const count = warnings.length === 1 ? '1 warning has' : `${warnings.length} warnings have`;
  const inOrder = warnings.toSorted((one, other) => one.lines.first - other.lines.first);
  const parts = inOrder.map(
    ({ rule, url, detail, excerpt }) => `WARNING: ${rule} - ${url}\n${detail}\n${named(excerpt, file)}\n`,
  );
  return [`Check complete, ${count} been found!\n`, ...parts].join('\n');
}

/** Excerpts begin with file and line. */
function named(excerpt: string, file: string): string {
  return excerpt.replace(/^[^\n]*(?=:\d+\n)/, () => file);
}

function outlineText(report: Extract<BuildReport, { call: 'outline' }>): string {
  const { name, description } = report;
  const parts: string[] = [];
  if (name !== '' || description !== '') {
    const rows = [['TARGET:', name || '(default)']];
    if (description !== '') rows.push(['DESCRIPTION:', description]);
    parts.push(table(rows, 1));
  }
  if (report.arguments.length > 0)
    parts.push(
      table(
        [
          ['BUILD ARG', 'VALUE', 'DESCRIPTION'],
          ...report.arguments.map((one) => [one.name, one.value, one.description]),
        ],
        3,
      ),
    );
  const mounts = (title: string, all: readonly OutlineMount[]): void => {
    if (all.length > 0)
      parts.push(table([[title, 'REQUIRED'], ...all.map((one) => [one.name, one.required ? 'true' : ''])], 3));
  };
  mounts('SECRET', report.secrets);
  mounts('SSH', report.ssh);
  return parts.map((part) => `${part}\n`).join('');
}

function targetsText({ targets }: Extract<BuildReport, { call: 'targets' }>): string {
  const rows = targets.map(({ name, isDefault, description }) => {
    if (!isDefault) return [name, description];
    return [name === '' ? '(default)' : `${name} (default)`, description];
  });
  return table([['TARGET', 'DESCRIPTION'], ...rows], 1);
}

/** All columns but the last as wide as their longest word and the gap. */
function table(rows: readonly string[][], gap: number): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)) + gap);
  const line = (row: readonly string[]): string =>
    row.map((word, column) => (column === row.length - 1 ? word : word.padEnd(widths[column] ?? 0))).join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}

function asJson(report: BuildReport): Record<string, unknown> {
  const data = Buffer.from(report.source.text).toString('base64');
  switch (report.call) {
    case 'check':
      return {
        warnings:
          report.warnings.length === 0
            ? null
            : report.warnings.map(({ rule, description, url, detail, lines }) => ({
                ruleName: rule,
                description,
                url,
                detail,
                location: location(lines),
              })),
        sources: [{ filename: report.source.name, data, language: 'Dockerfile' }],
        ...(report.error && { buildError: { message: report.error.message, location: location(report.error.lines) } }),
      };
    case 'outline':
      return {
        ...given({ name: report.name, description: report.description }),
        ...list(
          'args',
          report.arguments.map(({ lines, ...one }) => ({ ...given(one), location: location(lines) })),
        ),
        ...list('secrets', report.secrets.map(mount)),
        ...list('ssh', report.ssh.map(mount)),
        sources: [data],
      };
    case 'targets':
      return {
        targets: report.targets.map(({ name, isDefault, description, base, platform, lines }) => ({
          ...given({ name, default: isDefault, description, base, platform }),
          location: location(lines),
        })),
        sources: [data],
      };
  }
}

function mount({ name, required, lines }: OutlineMount): Record<string, unknown> {
  return { ...given({ name, required }), location: location(lines) };
}

/** What says nothing is left out. */
function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== false));
}

function list(key: string, items: readonly unknown[]): Record<string, unknown> {
  return items.length === 0 ? {} : { [key]: items };
}

function location(lines: DockerfileLines | null): Record<string, unknown> {
  if (!lines) return {};
  const ranges = Array.from({ length: lines.last - lines.first + 1 }, (_, index) => {
    const line = lines.first + index;
    return { start: { line }, end: { line } };
  });
  return { ranges };
}
