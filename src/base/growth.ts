/** How far a file has come that somebody writes while another reads it. */
export class Growth {
  readonly #step: number;
  #length = 0;
  #told = 0;
  #isComplete = false;
  #listener: ((length: number, isComplete: boolean) => void) | null = null;

  /** @param step bytes between two reports */
  constructor(step: number) {
    this.#step = step;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** The file has so many bytes; fewer than before where it begins again. */
  reach(length: number): void {
    this.#length = length;
    if (Math.abs(length - this.#told) >= this.#step) this.#tell();
  }

  /** Nothing more comes. */
  complete(): void {
    this.#isComplete = true;
    this.#tell();
  }

  /** Calls the listener now and whenever there is something to say. There is one. */
  follow(listener: (length: number, isComplete: boolean) => void): void {
    this.#listener = listener;
    this.#tell();
  }

  #tell(): void {
    this.#told = this.#length;
    this.#listener?.(this.#length, this.#isComplete);
  }
}
