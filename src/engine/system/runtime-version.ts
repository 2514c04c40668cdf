/** What an OCI runtime says of itself. */
import { stat } from 'node:fs/promises';

export interface RuntimeVersion {
  version: string;
  commit: string;
}

/** Gives what `<path> --version` prints. */
export type AskRuntime = (path: string) => Promise<string>;

const silent: RuntimeVersion = { version: '', commit: '' };

/** Versions of OCI runtimes, asked for anew when the program was replaced. */
export class RuntimeVersions {
  readonly #ask: AskRuntime;
  readonly #known = new Map<string, { changed: number; version: Promise<RuntimeVersion> }>();

  constructor(ask: AskRuntime) {
    this.#ask = ask;
  }

  /** @param path of the runtime's program. Empty texts where it does not say, or is gone: as under dockerd that is no reason to fail. */
  async of(path: string): Promise<RuntimeVersion> {
    try {
      const { mtimeMs: changed } = await stat(path);
      const known = this.#known.get(path);
      if (known?.changed === changed) return await known.version;
      const version = this.#ask(path).then(parseRuntimeVersion);
      this.#known.set(path, { changed, version });
      const answer = await version;
      // One that says nothing today may have been killed while it answered.
      if (answer.version === '') this.#known.delete(path);
      return answer;
    } catch {
      this.#known.delete(path);
      return silent;
    }
  }
}

/** Reads the lines `<name> version <version>` and `commit: <commit>`, which crun, runc and youki share. */
export function parseRuntimeVersion(text: string): RuntimeVersion {
  return {
    version: /^\S+ version:? +(\S+)/m.exec(text)?.[1] ?? '',
    commit: /^commit: *(\S+)/m.exec(text)?.[1] ?? '',
  };
}
