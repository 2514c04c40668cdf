import { BerthError, errorMessage } from '../api/errors.ts';
import { quoteHint } from './dockerfile/parse.ts';
import { DockerfileError, type DockerfileSource, excerpt } from './dockerfile/source-error.ts';
import type { Vertex } from './graph/vertex.ts';

/** A build's error with the lines of the Dockerfile that it is about. */
export class BuildError extends BerthError {
  /** The lines, `>>>` before those that are meant; empty: it is about none. */
  readonly excerpt: string;

  constructor(error: unknown, excerptText: string, hint?: string) {
    const inner = error instanceof BerthError ? error : null;
    super(inner?.kind ?? 'internal', errorMessage(error), {
      cause: error,
      ...(inner?.code !== undefined && { code: inner.code }),
      ...((inner?.hint ?? hint) !== undefined && { hint: (inner?.hint ?? hint) as string }),
    });
    this.excerpt = excerptText;
  }
}

type Lines = NonNullable<Vertex['label']['lines']>;

/** Where the steps that failed stand. */
const linesOf = new WeakMap<object, Lines>();

/** Says once where in the Dockerfile an error comes from. */
export function rememberLines(error: unknown, lines: Lines): void {
  if (typeof error === 'object' && error !== null && !linesOf.has(error)) linesOf.set(error, lines);
}

/** The error with the lines that it is about, where they are known. */
export function withExcerpt(error: unknown, source: DockerfileSource): BuildError {
  if (error instanceof BuildError) return error;
  const lines = error instanceof DockerfileError ? error.range : linesOf.get(error as object);
  if (!lines) return new BuildError(error, '');
  const text = source.text
    .split('\n')
    .slice(lines.first - 1, lines.last)
    .join('\n');
  return new BuildError(error, excerpt(source, lines), quoteHint(text));
}
