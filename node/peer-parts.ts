import type { Api } from './api/server.ts'
import type { Config } from './config/config.ts'
import type { Logger } from './ports/logger.ts'

/** What a node is started with. */
export interface PeerParts {
  readonly dataDir: string
  readonly config: Config
  /** The node's secp256k1 key, 32 bytes. */
  readonly privateKey: Uint8Array
  readonly logger: Logger
  /** Aborts the start; a started peer ends by being disposed. */
  readonly signal: AbortSignal
}

/** A running node. Disposal stops everything, the last opened first. */
export interface Peer extends AsyncDisposable {
  readonly api: Api
  readonly address: string
  readonly peer: string
  readonly addresses: readonly string[]
  readonly kinds: readonly string[]
  /** Lets work under way end, for a bounded time or until the signal aborts, and takes no new work meanwhile. */
  drain(signal: AbortSignal): Promise<void>
}
