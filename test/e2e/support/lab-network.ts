import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { minute, second } from '../../../node/domain/units.ts'
import type { PeerBody } from '../../../node/api/schemas/node.ts'
import {
  startLocalNetwork,
  type LocalNetwork,
  type LocalNetworkOptions,
} from '../../../scripts/devnet/local-network.ts'
import { natLabMissing, openNatLab, type NatLab } from '../../support/nat-lab.ts'
import { eventually } from './shared-network.ts'

const MAIN = fileURLToPath(new URL('../../../node/main.ts', import.meta.url))
/** The WASM programs of the conformance suite, as a file for `hive run`. */
export const PROGRAMS: string = fileURLToPath(
  new URL('../../vectors/wasm/programs.wasm', import.meta.url),
)
const PORT = 4701
/** How long a lab, a chain and its nodes may take to start, ms. */
const START_MS: number = 2 * minute

/** What a file's network in a lab is like. */
export interface LabNetworkOptions extends Pick<
  LocalNetworkOptions,
  'providers' | 'requesters' | 'lostAfter'
> {
  /** Name of the requester that commands are for. */
  readonly user: string
  /** Behind which router a node is; those left out are in the public network, at its address. */
  readonly homes: ReadonlyMap<string, 0 | 1>
  /** See {@link openNatLab}. */
  readonly mapping?: 'same' | 'other'
  /** What the nodes' configuration has besides where they listen and what they announce. */
  readonly settings?: { readonly private: boolean }
}

/** Nodes in separate processes behind routers, for all tests of one file: made and met before them, ended after. */
export class LabNetwork {
  /** Why no lab can be made here, or `false`: then there is no network. */
  readonly skip: string | false = natLabMissing()
  readonly #user: string
  readonly #homes: LabNetworkOptions['homes']
  #lab: NatLab | undefined
  #network: LocalNetwork | undefined

  constructor({ user, homes, mapping, settings, ...nodes }: LabNetworkOptions) {
    this.#user = user
    this.#homes = homes
    let dir: string | undefined
    before(
      async () => {
        if (this.skip !== false) return
        dir = await mkdtemp(join(tmpdir(), 'hive-lab-'))
        const lab = (this.#lab = await openNatLab(mapping))
        const announce = { announce: [`/ip4/${lab.publicIp}/tcp/${PORT}`] }
        let rpc: string | undefined
        this.#network = await startLocalNetwork({
          dir,
          ...nodes,
          provider: () => ({
            kinds: ['wasm'],
            resources: { cpu: 1, memory: '1GiB', disk: '1GiB' },
          }),
          signal: AbortSignal.timeout(START_MS),
          through: (name) => this.#home(name),
          change: async (name, initial) => ({
            ...initial,
            network: {
              ...initial.network,
              ...settings,
              listen: [`/ip4/0.0.0.0/tcp/${PORT}`],
              ...(!homes.has(name) && announce),
            },
            chain: { ...initial.chain, rpc: (rpc ??= await lab.opened(initial.chain.rpc)) },
          }),
        })
        await eventually(async () => {
          const { peers } = JSON.parse(await this.hive('peers', '--json')) as { peers: PeerBody[] }
          return peers.some(({ kinds }) => kinds !== undefined)
        }, second)
      },
      { timeout: START_MS },
    )
    after(async () => {
      await this.#network?.[Symbol.asyncDispose]()
      await this.#lab?.[Symbol.asyncDispose]()
      if (dir !== undefined) await rm(dir, { recursive: true })
    })
  }

  /** The lab; only inside tests. */
  get lab(): NatLab {
    if (this.#lab === undefined) throw new Error('the lab has not been made')
    return this.#lab
  }

  /** The network; only inside tests. */
  get all(): LocalNetwork {
    if (this.#network === undefined) throw new Error('the network has not been started')
    return this.#network
  }

  /** The command line `hive COMMAND …` of the user, to be started where its node is. */
  line(...[name = '', ...args]: readonly string[]): readonly [string, readonly string[]] {
    const [command = '', ...through] = this.#home(this.#user)
    const data = this.all.requesters.find((node) => node.name === this.#user)?.dir ?? ''
    return [command, [...through, process.execPath, MAIN, name, '--data', data, ...args]]
  }

  /** What such a command prints. Rejects when it fails. */
  async hive(...args: readonly string[]): Promise<string> {
    return (await promisify(execFile)(...this.line(...args))).stdout
  }

  #home(name: string): readonly string[] {
    const router = this.#homes.get(name)
    return router === undefined ? this.lab.inPublic : this.lab.behind[router]
  }
}
