import { BerthError } from '../../api/errors.ts';
import { compileTemplate, TemplateError, unescapeFormat } from '../template/execute.ts';
import { toJson } from '../template/print.ts';

/** One value by `--format`: `json` or a template. A line. Error: `invalid`. */
export function renderObject(value: unknown, format: string): string {
  if (format === 'json') return `${toJson(value)}\n`;
  try {
    return `${compileTemplate(unescapeFormat(format)).execute(value)}\n`;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new BerthError('invalid', `template parsing error: ${error.message}`, { cause: error });
  }
}
