/** What run, start and attach share: a container's streams joined to this terminal, and its exit status. */

import type { HijackedStream } from '../client/client.ts';
import { attachContainer } from '../client/containers/attach.ts';
import { killContainer } from '../client/containers/kill.ts';
import { resizeContainer } from '../client/containers/resize.ts';
import { type WaitCondition, type Waiting, waitContainer } from '../client/containers/wait.ts';
import { type Cli, ExitStatus } from './command.ts';
import { chosenDetachKeys } from './detach-keys-option.ts';
import { runSession, type SessionEnd } from './streams/session.ts';

export interface AttachPlan {
  container: string;
  tty: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** `--detach-keys` */
  detachKeys: string;
  /** Signals that come here go to the container. */
  forwardSignals: boolean;
}

export interface Attached {
  plan: AttachPlan;
  stream: HijackedStream;
}

/** Errors: exit status 1 where a terminal is wanted and input is none. */
export async function checkInput(tty: boolean, stdin: boolean): Promise<void> {
  if (!tty || !stdin) return;
  const { isTerminal } = await import('./streams/terminal.ts');
  if (!(await isTerminal(0))) throw new ExitStatus(1, 'the input device is not a TTY');
}

/** Joins the streams; the container need not run yet. */
export async function openAttached(cli: Cli, plan: AttachPlan, logs = false): Promise<Attached> {
  const stream = await attachContainer(cli.client, plan.container, {
    stream: true,
    stdin: plan.stdin,
    stdout: plan.stdout,
    stderr: plan.stderr,
    logs,
    detachKeys: plan.detachKeys || cli.config.detachKeys,
  });
  return { plan, stream };
}

/**
 * Runs the session to its end.
 * @param started resolves when the container runs; its terminal gets its size then
 */
export async function runAttached(cli: Cli, attached: Attached, started: Promise<void>): Promise<SessionEnd> {
  const { plan, stream } = attached;
  const undo: (() => void)[] = [];
  try {
    if (plan.tty) await prepareTerminal(cli, attached, started, undo);
    if (plan.forwardSignals) {
      const { forwardSignals } = await import('./streams/signals.ts');
      undo.push(forwardSignals((signal) => killContainer(cli.client, plan.container, { signal })));
    }
    return await runSession({
      stream,
      tty: plan.tty,
      input: plan.stdin ? (await import('./streams/terminal.ts')).standardInput() : undefined,
      outputs: { out: plan.stdout ? cli.out : undefined, err: plan.stderr ? cli.err : undefined },
      detachKeys: plan.tty ? chosenDetachKeys(cli, plan.detachKeys) : new Uint8Array(0),
    });
  } finally {
    for (const action of undo.reverse()) action();
  }
}

async function prepareTerminal(
  cli: Cli,
  { plan }: Attached,
  started: Promise<void>,
  undo: (() => void)[],
): Promise<void> {
  const terminal = await import('./streams/terminal.ts');
  if (plan.stdin && (await terminal.isTerminal(0))) undo.push(await terminal.rawMode());
  if (!(await terminal.isTerminal(1))) return;
  void started.then(
    async () => {
      undo.push(await terminal.watchSize((size) => resizeContainer(cli.client, plan.container, size)));
    },
    () => undefined,
  );
}

/** Waits from now on; ask before the start, so that no exit is missed. */
export function watchExit(cli: Cli, container: string, condition: WaitCondition): Promise<Waiting> {
  return waitContainer(cli.client, container, { condition });
}

/** The status that the command line ends with. Error: exit status 125 where waiting failed. */
export async function exitStatus(waiting: Waiting): Promise<number> {
  const { StatusCode, Error: failure } = await waiting.result;
  if (failure?.Message) throw new ExitStatus(125, failure.Message);
  return StatusCode;
}
