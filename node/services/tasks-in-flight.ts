/** Background work that its owner must wait for before it is gone. */
export class TasksInFlight {
  readonly #running = new Set<Promise<void>>()

  /** How many are under way. */
  get size(): number {
    return this.#running.size
  }

  /** Keeps hold of `work`; what it throws goes to `onError`. */
  start(work: () => Promise<void>, onError: (error: unknown) => void): void {
    const running = work()
      .catch(onError)
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Resolves when everything started so far, and what that started, has ended. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
