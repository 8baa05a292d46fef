/** Does one thing after another, in the order in which they are asked for. One that fails keeps none from its turn. */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve()

  /** Gives what `work` gives, or rejects as it does. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  /** Resolves when everything that was asked for so far is done. Never rejects. */
  async idle(): Promise<void> {
    await this.#last
  }
}
