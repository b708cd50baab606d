import { join } from 'node:path'
import { openLevelStore } from './adapters/store/level-store.ts'
import type { Logger } from './ports/logger.ts'
import type { Store } from './ports/store.ts'

/** The node's records, the caller's to dispose, and whether there is room for more of them. */
export interface State {
  readonly store: Store
  readonly disk: { readonly isFull: boolean }
}

/** Opens what the node keeps in its folder. Throws as the store does. */
export async function openState(dataDir: string, logger: Logger): Promise<State> {
  const disk = { isFull: false }
  const onFull = (isFull: boolean) => {
    disk.isFull = isFull
    if (isFull) logger.error('the disk is full: the node stands still until there is room')
    else logger.warn('there is room on the disk again')
  }
  return { store: await openLevelStore(join(dataDir, 'state'), { onFull }), disk }
}
