/** What every Supervisor does, the fake included: the engine is tested against the fake and runs on the real one. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { errorKind } from '../../src/api/errors.ts';
import { commandNotFoundError, type FakeBehaviour } from '../../src/supervisor/fake-supervisor.ts';
import { startFailureExitCode } from '../../src/supervisor/runtime-errors.ts';
import type { AttachRequest, ExitStatus, ShimSpec, Supervisor } from '../../src/supervisor/types.ts';
import { StdcopyDecoder } from '../../src/wire/stdcopy.ts';

export interface SupervisorHarness {
  supervisor: Supervisor;
  /** A container that will behave so. */
  container(behaviour: FakeBehaviour, overrides?: Partial<ShimSpec>): ShimSpec;
  /** The process object of an exec that will behave so. */
  exec(execId: string, behaviour: FakeBehaviour): unknown;
  /** The exit that the supervisor tells. */
  exited(containerId: string): Promise<ExitStatus>;
  close(): Promise<void>;
}

export const everything: AttachRequest = { stdin: true, stdout: true, stderr: true };
const output: AttachRequest = { stdin: false, stdout: true, stderr: true };

/** Reads a stream to its end and takes the frames apart. */
export async function readStreams(stream: Duplex): Promise<{ stdout: string; stderr: string }> {
  const result = { stdout: '', stderr: '' };
  const decoder = new StdcopyDecoder((number, payload) => {
    const data = Buffer.from(payload).toString('utf8');
    if (number === 1) result.stdout += data;
    if (number === 2) result.stderr += data;
  });
  for await (const chunk of stream) decoder.push(chunk as Buffer);
  return result;
}

function execId(number: number): string {
  return number.toString(16).padStart(64, 'e');
}

export function supervisorContract(name: string, make: () => SupervisorHarness): void {
  describe(`supervisor contract: ${name}`, () => {
    let harness: SupervisorHarness;
    beforeAll(() => {
      harness = make();
    });
    afterAll(() => harness.close());

    /** Starts, hands over, ends whatever is left, cleans up. */
    async function running<T>(
      spec: ShimSpec,
      use: (started: Awaited<ReturnType<Supervisor['start']>>, exited: Promise<ExitStatus>) => Promise<T>,
    ): Promise<T> {
      const exited = harness.exited(spec.id);
      const started = await harness.supervisor.start(spec);
      try {
        return await use(started, exited);
      } finally {
        await harness.supervisor.signal(spec.id, null, 9).catch(() => undefined); // it may have ended
        await exited;
        await harness.supervisor.cleanUp(spec.id, spec.directory);
      }
    }

    test('tells the exit code of a process that ends', async () => {
      const spec = harness.container({ kind: 'exit', code: 7 });
      await running(spec, async (started, exited) => {
        expect(started.pid).toBeGreaterThan(1);
        const status = await exited;
        expect(status.code).toBe(7);
        expect(status.oomKilled).toBe(false);
        expect(Math.abs(status.exitedAt.getTime() - Date.now())).toBeLessThan(10_000);
      });
    });

    test('gives a client that waited for the start all output, by stream, then the end', async () => {
      const behaviour: FakeBehaviour = { kind: 'exit', code: 0, stdout: 'out', stderr: 'err' };
      const spec = harness.container(behaviour, { attachments: [output, { ...output, stderr: false }] });
      await running(spec, async ({ attachments }) => {
        expect(await Promise.all(attachments.map(readStreams))).toEqual([
          { stdout: 'out', stderr: 'err' },
          { stdout: 'out', stderr: '' },
        ]);
      });
    });

    test('gives the bytes of a terminal as they are', async () => {
      const spec = harness.container(
        { kind: 'exit', code: 0, stdout: 'out' },
        { terminal: true, attachments: [output] },
      );
      await running(spec, async ({ attachments }) => {
        expect(await text(attachments[0]!)).toBe('out');
      });
    });

    test('the end of the client is the end of stdin', async () => {
      const spec = harness.container({ kind: 'cat' }, { stdin: 'once', attachments: [everything] });
      await running(spec, async ({ attachments }, exited) => {
        attachments[0]!.end('through');
        expect(await readStreams(attachments[0]!)).toEqual({ stdout: 'through', stderr: '' });
        expect((await exited).code).toBe(0);
      });
    });

    test('a later client sees what comes later', async () => {
      const spec = harness.container({ kind: 'cat' }, { stdin: 'once' });
      await running(spec, async () => {
        const watcher = await harness.supervisor.attach(spec.id, output);
        const client = await harness.supervisor.attach(spec.id, everything);
        const seen = Promise.all([readStreams(watcher), readStreams(client)]);
        client.end('both');
        expect(await seen).toEqual([
          { stdout: 'both', stderr: '' },
          { stdout: 'both', stderr: '' },
        ]);
      });
    });

    test('a signal ends the process with 128 and its number', async () => {
      const spec = harness.container({ kind: 'wait' });
      await running(spec, async (_, exited) => {
        await harness.supervisor.signal(spec.id, null, 9);
        expect((await exited).code).toBe(137);
      });
    });

    test('runs an exec beside the container', async () => {
      const spec = harness.container({ kind: 'wait' });
      await running(spec, async () => {
        const id = execId(1);
        const process = harness.exec(id, { kind: 'exit', code: 3, stdout: 'from exec' });
        const exec = await harness.supervisor.exec(spec.id, {
          execId: id,
          process,
          terminal: false,
          size: null,
          attach: output,
        });
        expect(exec.pid).toBeGreaterThan(1);
        expect(await readStreams(exec.stream!)).toEqual({ stdout: 'from exec', stderr: '' });
        expect((await exec.exit).code).toBe(3);
      });
    });

    test('an exec has its own stdin and signals; a detached one has no stream', async () => {
      const spec = harness.container({ kind: 'wait' });
      await running(spec, async () => {
        const cat = execId(2);
        const process = harness.exec(cat, { kind: 'cat' });
        const piped = await harness.supervisor.exec(spec.id, {
          execId: cat,
          process,
          terminal: false,
          size: null,
          attach: everything,
        });
        piped.stream!.end('to and fro');
        expect((await readStreams(piped.stream!)).stdout).toBe('to and fro');
        expect((await piped.exit).code).toBe(0);

        const wait = execId(3);
        const waiting = await harness.supervisor.exec(spec.id, {
          execId: wait,
          process: harness.exec(wait, { kind: 'wait' }),
          terminal: false,
          size: null,
          attach: null,
        });
        expect(waiting.stream).toBeNull();
        await harness.supervisor.signal(spec.id, wait, 9);
        expect((await waiting.exit).code).toBe(137);
      });
    });

    test('a start that is refused leaves nothing and says which exit code it has', async () => {
      const spec = harness.container(refused());
      const error = await harness.supervisor.start(spec).catch((caught: unknown) => caught);
      expect(errorKind(error)).toBe('invalid');
      expect(String(error)).toContain('"nosuch": executable file not found in $PATH');
      expect(startFailureExitCode(error)).toBe(127);
      await harness.supervisor.cleanUp(spec.id, spec.directory);
    });

    test('an exec that is refused leaves the container alone', async () => {
      const spec = harness.container({ kind: 'wait' });
      await running(spec, async () => {
        const id = execId(4);
        const process = harness.exec(id, refused());
        const error = await harness.supervisor
          .exec(spec.id, { execId: id, process, terminal: false, size: null, attach: output })
          .catch((caught: unknown) => caught);
        expect(String(error)).toContain('"nosuch": executable file not found in $PATH');
        await harness.supervisor.resize(spec.id, null, { rows: 1, columns: 2 });
      });
    });

    test('what is asked of a container that does not run is not found', async () => {
      const spec = harness.container({ kind: 'wait' });
      for (const asked of [
        harness.supervisor.signal(spec.id, null, 15),
        harness.supervisor.attach(spec.id, output),
        harness.supervisor.truncateLog(spec.id),
      ]) {
        expect(errorKind(await asked.catch((caught: unknown) => caught))).toBe('not-found');
      }
      await harness.supervisor.cleanUp(spec.id, spec.directory);
      await harness.supervisor.cleanUp(spec.id, spec.directory);
    });

    test('nothing is adopted where nothing was started', async () => {
      const spec = harness.container({ kind: 'wait' });
      expect(await harness.supervisor.adopt(spec.id, spec.directory)).toEqual({ state: 'gone' });
    });
  });
}

function refused(): FakeBehaviour {
  return { kind: 'refused', error: commandNotFoundError('nosuch') };
}
