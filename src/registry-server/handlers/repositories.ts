/** `/berth/v1/repositories/<name>`: what a hub shows of a repository besides its images. */
import { type Call, sendJson } from '../context.ts';
import { RegistryProblem } from '../problem.ts';
import { readWhole } from './requests.ts';

const longestDescription = 4096;

/** `GET`: description, stars, pulls. */
export async function showRepository(call: Call): Promise<void> {
  const { context, request, repository } = call;
  await context.guard.require(request, repository, 'pull');
  const summary = await context.content.index.summary(repository);
  if (!summary) throw unknown(call);
  sendJson(call, summary);
}

/** `PATCH` with `{"description": "…"}`, by who may delete there. */
export async function describeRepository(call: Call): Promise<void> {
  const { context, request, repository, response } = call;
  await context.guard.require(request, repository, 'delete');
  const description = readDescription((await readWhole(request, 4 * longestDescription)).toString());
  if (!(await context.content.index.describe(repository, description))) throw unknown(call);
  response.send(204, {});
}

/** Error: 400. */
function readDescription(text: string): string {
  try {
    const { description } = JSON.parse(text) as { description?: unknown };
    if (typeof description === 'string' && description.length <= longestDescription) return description;
  } catch (cause) {
    throw new RegistryProblem('UNSUPPORTED', { status: 400, message: 'the body is no JSON', cause });
  }
  throw new RegistryProblem('UNSUPPORTED', {
    status: 400,
    message: `"description" must be a string of at most ${longestDescription} characters`,
  });
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
