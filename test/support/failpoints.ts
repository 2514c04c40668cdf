/** The test's side of `src/base/failpoint.ts`. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Glob } from 'bun';
import { repository } from './repository.ts';
import { until } from './until.ts';

export type FailpointAction = 'kill9' | 'drop' | `error ${string}` | `delay ${string}`;

/** Every failpoint of an operation that the source has, in the order of the files: `failpointsOf('run')`. */
export function failpointsOf(operation: string): string[] {
  const found = new Set<string>();
  for (const path of new Glob('src/**/*.ts').scanSync(repository)) {
    if (path.endsWith('.test.ts')) continue;
    for (const [, name] of readFileSync(`${repository}/${path}`, 'utf8').matchAll(/\bfailpoint\('([^']+)'\)/g)) {
      if (name?.startsWith(`${operation}.`)) found.add(name);
    }
  }
  return [...found];
}

/** One engine's control file. */
export class Failpoints {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
    this.clear();
  }

  /** The next time the engine reaches the step, the action strikes, once. */
  arm(name: string, action: FailpointAction): void {
    appendFileSync(this.path, `${name} ${action}\n`);
  }

  /** Steps that were struck so far. */
  hits(): string[] {
    const path = `${this.path}.hit`;
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  }

  async struck(name: string): Promise<void> {
    await until(`the engine at ${name}`, () => this.hits().includes(name));
  }

  /** Disarms everything and forgets the hits. */
  clear(): void {
    writeFileSync(this.path, '');
    rmSync(`${this.path}.hit`, { force: true });
  }
}
