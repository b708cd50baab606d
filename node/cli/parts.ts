import type { Config } from '../config/config.ts'
import type { Environment } from '../config/env.ts'
import type { InitialConfig } from '../config/initial-file.ts'
import type { Address, PeerId } from '../domain/ids.ts'
import type { EscrowReads } from '../ports/escrow.ts'

/** Where text or bytes go; a process's stdout fits. */
export interface Output {
  /** `done` is called once the chunk has left, or with why it could not. */
  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): unknown
  /** Where failures are told a second time, after `done` has heard of them. */
  readonly on?: (event: 'error', listener: (error: Error) => void) => unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** A terminal that a program elsewhere can be given. */
export interface Terminal {
  /** What kind it is: the variable TERM. */
  readonly name: string
  readonly size: () => { readonly columns: number; readonly rows: number }
  /** Whether keys come as they are pressed, without meaning anything here. */
  readonly setRaw: (isRaw: boolean) => void
  /** Returns how to stop. */
  readonly onResize: (listener: () => void) => () => void
}

/** A node that serves. */
export interface RunningNode {
  readonly peer: string
  readonly address: string
  readonly addresses: readonly string[]
  readonly apiPort: number
  readonly kinds: readonly string[]
}

/** An image as a user names it. */
export interface ImageRequest {
  /** A folder, an archive, `docker:TAG` or a Dockerfile. */
  readonly source: string
  readonly cwd: string
  /** What is said instead of the image's own configuration. */
  readonly changes: {
    readonly entrypoint?: readonly string[]
    readonly cmd?: readonly string[]
    readonly env?: readonly string[]
    readonly workingDir?: string
  }
  /** Of an image that says none, or of one of several; this machine's unless given. */
  readonly architecture?: string
  /** The engine that has the image, or builds it. */
  readonly socketPath?: string
  readonly signal: AbortSignal
}

/** An image that was read, its layers one at a time. */
export interface ReadImage {
  /** `sha256:<hex>` of `config`; pins the layers. */
  readonly id: string
  /** JSON in the OCI format. */
  readonly config: Uint8Array
  readonly layers: readonly (() => Promise<Uint8Array>)[]
}

/** What the command line is made of; `main.ts` gives it the real ones. */
export interface CliParts {
  readonly stdout: Output
  readonly stderr: Output
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly destroy?: () => unknown }
  /** The terminal that standard input and output are, if they are one. */
  readonly terminal?: () => Terminal | undefined
  readonly env: Environment
  /** Folder that relative paths start from. */
  readonly cwd: string
  readonly fetch: typeof globalThis.fetch
  /** Unix ms. */
  readonly now: () => number
  /** Of the program, as its package says. */
  readonly version: string
  /** Calls back at every interrupt from the keyboard and every request to end. Returns how to stop. */
  readonly onInterrupt: (listener: () => void) => () => void
  /** The passphrase that the environment sets. Throws `PASSPHRASE_MISSING`. */
  readonly passphraseSetting: () => Promise<string | undefined>
  /** A variable of the environment that the user names as a secret's source. */
  readonly secretVariable: (name: string) => string | undefined
  /** Asks on the terminal without echo; `undefined` when there is none to ask on. */
  readonly readPassphrase: (prompt: string) => Promise<string | undefined>
  /** Makes a key and a config file. Throws `ALREADY_INITIALISED`, `CONFIG_INVALID`, `DATA_UNUSABLE`. */
  readonly initNode: (request: {
    readonly dataDir: string
    readonly passphrase: string
    readonly initial: InitialConfig
  }) => Promise<{ readonly address: Address; readonly peer: PeerId }>
  /** Runs a node until the signal aborts; `onReady` is called once it serves. */
  readonly upNode: (request: {
    readonly dataDir: string
    readonly config: Config
    readonly passphrase: string
    readonly signal: AbortSignal
    readonly onReady: (node: RunningNode) => void
  }) => Promise<void>
  /** The contract, for reading only. Throws `CHAIN_UNREACHABLE`, `CHAIN_WRONG`, `CHAIN_NO_CONTRACT`. */
  readonly openEscrow: (request: {
    readonly rpc: string
    readonly chainId?: number
    readonly address: Address
    readonly signal: AbortSignal
  }) => Promise<EscrowReads & AsyncDisposable>
  /** Reads an image for the node to keep. Throws `IMAGE_UNREADABLE`, `IMAGE_INVALID`. */
  readonly readImage: (request: ImageRequest) => Promise<ReadImage>
  /** Runs a chain and some nodes on this machine until the signal aborts. */
  readonly devnet: (request: {
    readonly dir: string
    readonly providers: number
    readonly signal: AbortSignal
    readonly onLine: (line: string) => void
  }) => Promise<void>
}
