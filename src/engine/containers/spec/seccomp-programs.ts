import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { RuntimeProgram } from '../settings.ts';

/** crun takes a compiled filter from here instead of compiling the one in the configuration, which is half of all it does. */
export const compiledFilterAnnotation = 'run.oci.seccomp_bpf_data';

/** Bytes of a `struct sock_filter`. */
const instructionSize = 8;
const mostInstructions = 32_768;
/** Filters differ with capabilities and profiles; few of them are in use at a time. */
const keptPrograms = 64;

/**
 * Compiled seccomp filters, each as crun itself made it for the first container that used it. The configuration keeps the
 * filter's source too, so a runtime that does not know the annotation is no less safe.
 */
export class SeccompPrograms {
  readonly #byFilter = new Map<string, string>();

  /** The program of a filter in base64, or null where it is not known. @param filter its JSON */
  find(filter: string): string | null {
    return this.#byFilter.get(filter) ?? null;
  }

  /** Looks into crun's state of a container that was just started with `filter`. Nothing is learnt from another runtime. */
  learn(filter: string, container: { id: string; runtime: RuntimeProgram; runtimeRoot: string }): void {
    if (this.#byFilter.has(filter) || basename(container.runtime.path) !== 'crun') return;
    let program: Buffer;
    try {
      program = readFileSync(join(container.runtimeRoot, container.id, 'seccomp.bpf'));
    } catch {
      // The container has ended and is cleaned away already; a later one will do.
      return;
    }
    if (program.length === 0 || program.length % instructionSize !== 0) return;
    if (program.length / instructionSize > mostInstructions) return;
    if (this.#byFilter.size >= keptPrograms) this.#byFilter.clear();
    this.#byFilter.set(filter, program.toString('base64'));
  }
}
