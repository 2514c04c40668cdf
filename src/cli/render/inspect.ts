/** The output of the inspect commands: one JSON list, or a template's text for each thing. */
import { BerthError } from '../../api/errors.ts';
import { type Cli, ExitStatus } from '../command.ts';
import { describeError } from '../describe-error.ts';
import { indentJson } from './indent-json.ts';

/**
 * Gets each thing, prints what was found, then what was not.
 * @param get gives the engine's JSON text
 * @returns 1 when one was not found
 */
export async function inspectAll(
  cli: Cli,
  names: readonly string[],
  format: string,
  get: (name: string) => Promise<string>,
): Promise<number> {
  const render = format === '' || format === 'json' ? undefined : await templateRenderer(format);
  const found: string[] = [];
  const errors: string[] = [];
  for (const name of names) {
    try {
      const text = (await get(name)).trim();
      found.push(render ? `${render(text)}\n` : text);
    } catch (error) {
      errors.push(describeError(error));
    }
  }
  // A template that fails on something leaves an empty line, as Docker's command line does.
  if (render) await cli.out.write(found.length === 0 ? '\n' : found.join(''));
  else if (format === 'json') await cli.out.write(`[${found.join(',')}]\n`);
  else
    await cli.out.write(
      found.length === 0
        ? '[]\n'
        : `[\n    ${found.map((text) => indentJson(text, '    ', '    ')).join(',\n    ')}\n]\n`,
    );
  if (errors.length === 0) return 0;
  await cli.err.write(`${errors.join('\n')}\n`);
  return 1;
}

async function templateRenderer(format: string): Promise<(text: string) => string> {
  const { compileTemplate, TemplateError, unescapeFormat } = await import('../template/execute.ts');
  const { parseJson } = await import('../../wire/json.ts');
  const { printGoObject, zeroText } = await import('./go-objects.ts');
  const template = parseFormat();
  return (text) => {
    const value = parseJson(text);
    try {
      return template.execute(value, { zeroText, printObject: printGoObject });
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
    }
    // What Docker's objects do not have may stand in the text; its errors are those that Docker prints.
    try {
      return template.execute(value);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new BerthError('invalid', `template parsing error: ${error.message}`, { cause: error });
    }
  };

  /** A template that is none ends the program with a status of its own. */
  function parseFormat() {
    try {
      return compileTemplate(unescapeFormat(format));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new ExitStatus(64, `template parsing error: ${error.message}`);
    }
  }
}
