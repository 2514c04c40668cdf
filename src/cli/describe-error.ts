import { BerthError } from '../api/errors.ts';
import { ResponseError } from '../client/errors.ts';

/** An error as the command line prints it; what the engine said is marked as such, as Docker does. */
export function describeError(error: unknown): string {
  if (error instanceof ResponseError) return `Error response from daemon: ${error.message}`;
  if (error instanceof BerthError) return error.hint ? `${error.message}\n${error.hint}` : error.message;
  return error instanceof Error ? error.message : String(error);
}
