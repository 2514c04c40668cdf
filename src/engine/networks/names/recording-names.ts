import type { SandboxNames } from './name-book.ts';
import type { Names } from './names.ts';
import type { ResolverSandbox } from './resolver-protocol.ts';

/** Names that nobody answers, for tests of what stands above the resolver. */
export class RecordingNames implements Names {
  readonly socket = '/run/names.sock';
  readonly sandboxes = new Map<string, ResolverSandbox>();

  async put(names: SandboxNames, pid: number | null): Promise<void> {
    this.sandboxes.set(names.id, { names, pid });
  }

  drop(containerId: string): void {
    this.sandboxes.delete(containerId);
  }

  async sync(sandboxes: readonly ResolverSandbox[]): Promise<void> {
    this.sandboxes.clear();
    for (const sandbox of sandboxes) this.sandboxes.set(sandbox.names.id, sandbox);
  }
}
