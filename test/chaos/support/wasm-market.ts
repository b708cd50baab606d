import type { LocalNetworkOptions } from '../../../scripts/devnet/local-network.ts'
import { LEAN_FLAGS } from '../../../scripts/devnet/child.ts'
import { SharedNetwork } from '../../e2e/support/shared-network.ts'
import { PUPPET } from './orders.ts'

/** A network of WebAssembly providers whose nodes take orders; nobody counts as lost for a minute. */
export function wasmMarket({
  disk = '1GiB',
  ...options
}: Partial<Pick<LocalNetworkOptions, 'requesters' | 'providers' | 'change'>> & {
  /** What jobs of a provider may use. */
  readonly disk?: string
} = {}): SharedNetwork {
  return new SharedNetwork({
    requesters: 1,
    providers: 1,
    provider: () => ({
      kinds: ['wasm'],
      resources: { cpu: 1, memory: '1GiB', disk },
      claimAfterIdle: '1s',
    }),
    lostAfter: '60s',
    nodeFlags: [...LEAN_FLAGS, ...PUPPET],
    ...options,
  })
}
