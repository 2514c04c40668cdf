/** What can be said of a Dockerfile without building it (`berth build --call`). */
import { errorMessage } from '../api/errors.ts';
import type { BuildReport, DockerfileLines } from '../api/types/build.ts';
import { describedBy } from './dockerfile/convert/outline.ts';
import type { BuildPlan } from './dockerfile/convert/plan.ts';
import { splitStages } from './dockerfile/convert/stages.ts';
import type { Linter } from './dockerfile/lint/linter.ts';
import { parseDockerfile } from './dockerfile/parse.ts';
import { DockerfileError, type DockerfileSource, excerpt, type SourceRange } from './dockerfile/source-error.ts';

const linesOf = ({ first, last }: SourceRange): DockerfileLines => ({ first, last });

/**
 * What is not good about a Dockerfile, and why it cannot be built, as far as a plan tells.
 * @param error what came of planning it; null: it can be built
 */
export function checkReport(source: DockerfileSource, linter: Linter, error: unknown): BuildReport {
  const range = error instanceof DockerfileError ? error.range : null;
  const why = error === null ? linter.violation : errorMessage(error);
  return {
    call: 'check',
    source,
    warnings: linter.warnings.map(({ range: lines, ...warning }) => ({
      ...warning,
      lines: linesOf(lines),
      excerpt: excerpt(source, linesOf(lines)),
    })),
    error:
      why === null
        ? null
        : { message: why, lines: range && linesOf(range), excerpt: range === null ? '' : excerpt(source, range) },
  };
}

/** What the target takes from outside. */
export function outlineReport(source: DockerfileSource, plan: BuildPlan): BuildReport {
  return { call: 'outline', source, ...plan.outline() };
}

/** The stages that can be built. Error: `DockerfileError`. */
export function targetsReport(source: DockerfileSource): BuildReport {
  const { stages } = splitStages(parseDockerfile(source.text).instructions);
  return {
    call: 'targets',
    source,
    targets: stages.map(({ name, index, from }) => ({
      name,
      description: describedBy(from.comments, name),
      isDefault: index === stages.length - 1,
      base: from.base,
      platform: from.platform,
      lines: linesOf(from.range),
    })),
  };
}
