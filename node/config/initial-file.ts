import type { Switch } from '../domain/switch.ts'
import { stringify } from 'yaml'
import { parseConfig } from './schema.ts'

/** What `hive init` knows of a new node; anything left out keeps its default. */
export interface InitialConfig {
  readonly network?: {
    readonly name?: string
    readonly listen?: readonly string[]
    readonly announce?: readonly string[]
    readonly bootstrap?: readonly string[]
    readonly mdns?: boolean
    readonly private?: boolean
    readonly relay?: Switch
    readonly viaRelays?: Switch
    readonly upnp?: boolean
    readonly keyFile?: string
  }
  readonly chain: {
    readonly rpc: string
    readonly id: number
    readonly escrow: string
    readonly confirmations?: number
    readonly reconcileEvery?: string
    readonly fromBlock?: number
  }
  readonly api?: { readonly port?: number }
  readonly provider?: { readonly enabled?: boolean } & Settings
  readonly requester?: Settings
  readonly log?: { readonly level?: string; readonly format?: string }
}

/** Further fields of a section, as a person would write them; checked like the rest of the file. */
type Settings = Readonly<Record<string, unknown>>

const HEADER = `# A ComputeHive node. docs/operations/config.md describes every field.
# Amounts are tokens, sizes 256MiB, durations 90s or 5m. HIVE_… variables override this file.
`

/** The text of a new config file. Throws `CONFIG_INVALID` for values that the node would refuse. */
export function initialConfigText(initial: InitialConfig): string {
  parseConfig(initial)
  return HEADER + stringify(initial)
}
