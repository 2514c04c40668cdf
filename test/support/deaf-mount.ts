/**
 * A FUSE file system that answers nothing: whoever looks at it waits until it is taken away. Made of /dev/fuse and mount(2) alone, so
 * that a test needs no package for it.
 */
import { mkdtempSync, rmdirSync } from 'node:fs';
import type { Subprocess } from 'bun';

const script = `import ctypes, os, sys, time
fd = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
data = "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % fd
if libc.mount(b"deaf", sys.argv[1].encode(), b"fuse.deaf", 0, data.encode()) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
print("mounted", flush=True)
time.sleep(100000)`;

export class DeafMount {
  readonly path: string;
  readonly #server: Subprocess<'ignore', 'pipe', 'inherit'>;

  private constructor(path: string, server: Subprocess<'ignore', 'pipe', 'inherit'>) {
    this.path = path;
    this.#server = server;
  }

  static async make(): Promise<DeafMount> {
    const path = mkdtempSync('/var/tmp/berth-test-deaf-');
    const server = Bun.spawn(['python3', '-c', script, path], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
    const first = await server.stdout.getReader().read();
    if (first.done) throw new Error('the FUSE file system could not be mounted');
    return new DeafMount(path, server);
  }

  /** The end of its server is an error for everybody who waits. */
  async remove(): Promise<void> {
    this.#server.kill('SIGKILL');
    await this.#server.exited;
    await Bun.spawn(['umount', '-l', this.path]).exited;
    rmdirSync(this.path);
  }
}
