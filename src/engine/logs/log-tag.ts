import { BerthError } from '../../api/errors.ts';

/**
 * The text of a `tag` option: words between `{{` and `}}` name a field (https://docs.docker.com/engine/logging/log_tags/), what else
 * Go's templates know is refused. Error: `invalid` in Go's words.
 * @param fields by name
 */
export function expandTag(template: string, fields: Readonly<Record<string, string>>): string {
  let text = '';
  let rest = template;
  for (let begin = rest.indexOf('{{'); begin >= 0; begin = rest.indexOf('{{')) {
    const end = rest.indexOf('}}', begin);
    if (end < 0) throw tagError('1: unclosed action');
    const action = rest.slice(begin + 2, end);
    const before = action.startsWith('- ') ? rest.slice(0, begin).trimEnd() : rest.slice(0, begin);
    const offset = template.length - rest.length + begin + 2;
    text += before + fieldOf(action, offset, fields);
    rest = action.endsWith(' -') ? rest.slice(end + 2).trimStart() : rest.slice(end + 2);
  }
  return text + rest;
}

function fieldOf(action: string, offset: number, fields: Readonly<Record<string, string>>): string {
  const words = action.replace(/^- | -$/g, '').trim();
  const [, field] = /^\.(\w+)$/.exec(words) ?? [];
  if (field === undefined)
    throw tagError(`1:${offset}: ${JSON.stringify(words)}: only fields are supported by Berth yet`);
  const value = fields[field];
  if (value !== undefined) return value;
  const place = `1:${offset + action.indexOf('.')}: executing "log-tag" at <.${field}>`;
  throw tagError(`${place}: can't evaluate field ${field} in type *logger.Info`);
}

function tagError(reason: string): BerthError {
  return new BerthError('invalid', `template: log-tag:${reason}`);
}
