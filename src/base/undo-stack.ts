import { isDropped } from './failpoint.ts';

/**
 * Undo steps of a multi-step operation. Push the inverse right after each effect; on failure `unwind` runs them backwards,
 * on success `release` forgets them.
 */
export class UndoStack {
  #steps: { name: string; undo: () => unknown }[] = [];

  /** Adds an inverse. `name` appears in the error when the inverse itself fails. */
  push(name: string, undo: () => unknown): void {
    this.#steps.push({ name, undo });
  }

  /** The operation is committed: nothing is undone any more. */
  release(): void {
    this.#steps = [];
  }

  /** Runs every step, the last one first. A failing step does not stop the others. Gives what failed. */
  async unwind(): Promise<Error[]> {
    const failures: Error[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      if (isDropped(step.name)) continue;
      try {
        await step.undo();
      } catch (cause) {
        failures.push(
          new Error(`undo ${step.name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause }),
        );
      }
    }
    return failures;
  }
}
