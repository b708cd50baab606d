import type { Bytes32 } from '../../domain/ids.ts'
import type { Store, StoreChange } from '../../ports/store.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { Table } from '../table.ts'

/** Which tasks of the shares under way somebody has been inside of: on record, so that a restart forgets none. */
export class AttachedTasks {
  readonly #table: Table<{ readonly tasks: readonly number[] }>
  readonly #lock = new KeyedLock()

  constructor(store: Store) {
    this.#table = new Table(store, 'attached/')
  }

  /** Puts it on record, before it happens. */
  async add(share: Bytes32, index: number): Promise<void> {
    await this.#lock.run(share, async () => {
      const { tasks = [] } = (await this.#table.get(share)) ?? {}
      if (!tasks.includes(index)) await this.#table.put(share, { tasks: [...tasks, index] })
    })
  }

  async has(share: Bytes32, index: number): Promise<boolean> {
    return (await this.#table.get(share))?.tasks.includes(index) === true
  }

  /** The change that forgets a share. */
  removal(share: Bytes32): StoreChange {
    return this.#table.removal(share)
  }
}
