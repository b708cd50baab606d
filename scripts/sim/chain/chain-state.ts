import type { FakeChain } from '../../../test/support/fake-chain.ts'

/** Everything that transactions can change. */
const MAPS = [
  'free',
  'token',
  'channels',
  'cases',
  'shown',
  'asked',
  'anchors',
  'sponsorships',
  'requesterShares',
  'records',
] as const satisfies readonly (keyof FakeChain)[]

/** How a chain stood at one moment. What the maps hold is never changed in place, so their entries are enough. */
export class ChainState {
  readonly #maps: readonly (readonly (readonly [string, unknown])[])[]
  readonly #paidByCase: FakeChain['paidByCase']
  readonly #events: number

  constructor(chain: FakeChain) {
    this.#maps = MAPS.map((name) => [...(chain[name] as Map<string, unknown>)])
    this.#paidByCase = new Set(chain.paidByCase)
    this.#events = chain.events.length
  }

  restore(chain: FakeChain): void {
    for (const [at, name] of MAPS.entries()) {
      const map = chain[name] as Map<string, unknown>
      map.clear()
      for (const [key, value] of this.#maps[at] ?? []) map.set(key, value)
    }
    chain.paidByCase.clear()
    for (const id of this.#paidByCase) chain.paidByCase.add(id)
    chain.events.length = this.#events
  }
}
