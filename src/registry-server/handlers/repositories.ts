/** `/berth/v1/repositories/<name>`: what a hub shows of a repository besides its images. */
import { type Call, sendJson } from '../context.ts';
import { RegistryProblem } from '../problem.ts';
import { readWhole } from './requests.ts';

/** Characters. */
export const longestDescription = 4096;
export const longestReadme = 64 * 1024;
/** Bytes of a body: each character may be six of them. */
const longestBody = 6 * (longestDescription + longestReadme);

/** `GET`: descriptions, stars, pulls. */
export async function showRepository(call: Call): Promise<void> {
  const { context, request, repository } = call;
  await context.guard.require(request, repository, 'pull');
  const { index } = context.content;
  const summary = await index.summary(repository);
  if (!summary) throw unknown(call);
  sendJson(call, { ...summary, readme: await index.readme(repository) });
}

/** `PATCH` with `{"description": "…", "readme": "…"}` or one of them, by who may delete there. */
export async function describeRepository(call: Call): Promise<void> {
  const { context, request, repository, response } = call;
  await context.guard.require(request, repository, 'delete');
  const { description, readme } = readDescription((await readWhole(request, longestBody)).toString());
  const { index } = context.content;
  if (description !== undefined && !(await index.describe(repository, description))) throw unknown(call);
  if (readme !== undefined && !(await index.setReadme(repository, readme))) throw unknown(call);
  response.send(204, {});
}

/** Error: 400. */
function readDescription(text: string): { description?: string; readme?: string } {
  const given = parseBody(text);
  const description = textOf(given, 'description', longestDescription);
  const readme = textOf(given, 'readme', longestReadme);
  if (description === undefined && readme === undefined) throw wrong('neither "description" nor "readme" is given');
  return { description, readme };
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw wrong('the body is no JSON', cause);
  }
}

function textOf(given: unknown, key: string, longest: number): string | undefined {
  const value = (given as Record<string, unknown> | null)?.[key];
  if (value === undefined || (typeof value === 'string' && value.length <= longest)) return value;
  throw wrong(`"${key}" must be a string of at most ${longest} characters`);
}

function wrong(message: string, cause?: unknown): RegistryProblem {
  return new RegistryProblem('UNSUPPORTED', { status: 400, message, cause });
}

export async function starRepository(call: Call): Promise<void> {
  await star(call, true);
}

export async function unstarRepository(call: Call): Promise<void> {
  await star(call, false);
}

async function star(call: Call, starred: boolean): Promise<void> {
  const { context, request, repository, response } = call;
  const { identity } = await context.guard.require(request, repository, 'pull');
  const user = identity?.name ?? (context.guard.isOpen ? '' : null);
  if (user === null) throw new RegistryProblem('UNAUTHORIZED');
  if (!(await context.content.index.star(repository, user, starred))) throw unknown(call);
  response.send(204, {});
}

function unknown(call: Call): RegistryProblem {
  return new RegistryProblem('NAME_UNKNOWN', { detail: { name: call.repository } });
}
