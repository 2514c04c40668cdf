/** `scripts/test`: runs the suites one after the other, tells what failed, and ends with the totals. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Glob } from 'bun';

interface Suite {
  /** What `bun test` is given, or what is run instead of it. */
  path: string | (() => Promise<Totals>);
  /** Files at a time. */
  parallel: number;
  /** Milliseconds for one test, unless it says more. */
  timeout: number;
  /** Seconds for the whole suite. */
  limit: number;
}

interface Totals {
  passed: number;
  failed: number;
}

const processors = availableParallelism();
/** The limits tell what hangs from what is slow: a machine that others use as well may take five times as long as one of its own. */
const suites: Record<string, Suite> = {
  check: { path: runChecks, parallel: 1, timeout: 60_000, limit: 900 },
  shim: { path: runShimTests, parallel: processors, timeout: 60_000, limit: 900 },
  unit: { path: 'src', parallel: processors, timeout: 60_000, limit: 600 },
  runtime: { path: 'test/runtime', parallel: 1, timeout: 120_000, limit: 600 },
  support: { path: 'test/support', parallel: processors, timeout: 180_000, limit: 600 },
  contract: { path: 'test/contract', parallel: processors, timeout: 180_000, limit: 900 },
  api: { path: 'test/api', parallel: processors, timeout: 180_000, limit: 900 },
  compat: { path: 'test/compat', parallel: processors, timeout: 180_000, limit: 1200 },
  e2e: { path: 'test/e2e', parallel: processors, timeout: 300_000, limit: 2400 },
  fault: { path: 'test/fault', parallel: processors, timeout: 300_000, limit: 1800 },
};
/**
 * Not among the default ones: an emulated machine takes four minutes of both processors, and its disk is made from Debian's packages at the
 * first run. It proves what no container of the usual machines has: systemd, cgroup version 2, a reboot.
 */
const extra: Record<string, Suite> = {
  vm: { path: 'test/vm', parallel: 1, timeout: 180_000, limit: 1200 },
};
const soak: Record<string, Suite> = { soak: { path: 'test/soak', parallel: 1, timeout: 3_600_000, limit: 7200 } };

const root = resolve(import.meta.dir, '..');
const bun = join(root, 'node_modules/.bin/bun');
const reports = join(root, 'build/test');
process.chdir(root);

const wanted = process.argv.slice(2);
await sweep();
if (wanted[0] === 'sweep') process.exit(0);
const known = wanted[0] === 'soak' ? soak : { ...suites, ...extra };
const chosen = wanted.length === 0 ? Object.keys(suites) : wanted[0] === 'soak' ? Object.keys(soak) : wanted;
for (const name of chosen) {
  if (known[name]) continue;
  console.error(`no such suite: ${name}; there are ${Object.keys({ ...suites, ...extra }).join(' ')} and soak`);
  process.exit(2);
}
prepare();
const totals: Totals = { passed: 0, failed: 0 };
for (const name of chosen) {
  const suite = known[name] as Suite;
  const started = performance.now();
  const result = typeof suite.path === 'string' ? await runBunTests(name, suite, suite.path) : await suite.path();
  totals.passed += result.passed;
  totals.failed += result.failed;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`== ${name}: ${result.passed} passed, ${result.failed} failed in ${seconds} s`);
}
await sweep();
if (totals.passed === 0 && totals.failed === 0) totals.failed = 1;
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed > 0 ? 1 : 0);

function prepare(): void {
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const shim = Bun.spawnSync(['scripts/build-shim'], { stdout: 'inherit', stderr: 'inherit' });
  if (shim.exitCode !== 0) {
    console.log('the shim does not compile');
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
  // The executable is what users get: tests drive it where it is as new as the source, and the source otherwise.
  const built = join(root, 'dist/berth');
  if (!process.env['BERTH_TEST_PROGRAM'] && existsSync(built) && statSync(built).mtimeMs >= newest()) {
    process.env['BERTH_TEST_PROGRAM'] = built;
  }
  console.log(`testing ${process.env['BERTH_TEST_PROGRAM'] ?? 'the source'}`);
}

function newest(): number {
  const times = ['src/**/*', 'shim/*.{c,h}'].flatMap((pattern) =>
    [...new Glob(pattern).scanSync(root)]
      .filter((path) => !path.endsWith('.test.ts'))
      .map((path) => statSync(path).mtimeMs),
  );
  return Math.max(...times);
}

async function runBunTests(name: string, suite: Suite, path: string): Promise<Totals> {
  if (!existsSync(path) || [...new Glob('**/*.test.ts').scanSync(path)].length === 0) return { passed: 0, failed: 0 };
  const child = Bun.spawn(
    [
      ...[bun, 'test', `./${path}`, '--only-failures', `--timeout=${suite.timeout}`],
      ...['--reporter=junit', `--reporter-outfile=${join(reports, `${name}.xml`)}`],
      ...(suite.parallel > 1 ? [`--parallel=${suite.parallel}`] : ['--isolate']),
    ],
    // Without it Bun hands on the environment of its own start, in which the program under test is not named.
    { stdin: 'ignore', stdout: 'inherit', stderr: 'pipe', env: process.env },
  );
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    console.log(`== ${name}: not done after ${suite.limit} s, killed`);
    child.kill('SIGKILL');
  }, suite.limit * 1000);
  let summary = '';
  for await (const chunk of child.stderr) {
    process.stdout.write(chunk);
    summary = (summary + new TextDecoder().decode(chunk)).slice(-4000);
  }
  await child.exited;
  clearTimeout(timer);
  const result = readSummary(summary);
  // A crash of the whole run, or its end by force: no failed test case, but no success either.
  if ((child.exitCode !== 0 || late) && result.failed === 0) result.failed = 1;
  return result;
}

/** The totals that `bun test` ends with: they count a file that does not load and a hook that throws, as the JUnit report does not. */
function readSummary(text: string): Totals {
  const count = (what: string): number => Number(text.match(new RegExp(`^ *(\\d+) ${what}$`, 'm'))?.[1] ?? 0);
  return { passed: count('pass'), failed: count('fail') };
}

/** `scripts/check`: each of its checks counts as a test. */
async function runChecks(): Promise<Totals> {
  const child = Bun.spawn(['scripts/check'], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
  const [output] = await Promise.all([child.stdout.text(), child.exited]);
  const passed = output.match(/^ok /gm)?.length ?? 0;
  const failed = output.match(/^FAIL /gm)?.length ?? 0;
  if (failed > 0) console.log(output);
  return { passed, failed: failed === 0 && child.exitCode !== 0 ? 1 : failed };
}

/**
 * `shim/test/*-test.c`: each is a program of its own, linked with all of shim/ under AddressSanitizer, that prints `ok NAME` or
 * `not ok NAME` for each test and exits with 1 if one failed.
 */
async function runShimTests(): Promise<Totals> {
  const result: Totals = { passed: 0, failed: 0 };
  const sources = existsSync('shim/test') ? readdirSync('shim/test').filter((name) => name.endsWith('-test.c')) : [];
  if (sources.length === 0) return result;
  const built = Bun.spawnSync(['scripts/build-shim', 'test'], { stdout: 'inherit', stderr: 'inherit' });
  if (built.exitCode !== 0) return { passed: 0, failed: sources.length };
  await Promise.all(
    sources.map(async (source) => {
      const child = Bun.spawn([`build/shim-test/${source.replace(/\.c$/, '')}`], {
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
        timeout: 120_000,
      });
      const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      const passed = output.match(/^ok /gm)?.length ?? 0;
      const failed = output.match(/^not ok /gm)?.length ?? 0;
      result.passed += passed;
      result.failed += failed > 0 || child.exitCode === 0 ? failed : 1;
      if (failed > 0 || child.exitCode !== 0)
        console.log(`${source}: exit ${child.signalCode ?? child.exitCode}\n${output}${errors}`);
    }),
  );
  return result;
}

async function sweep(): Promise<void> {
  await Bun.spawn([bun, 'test/support/sweep.ts'], { stdout: 'inherit', stderr: 'inherit' }).exited;
}
