import assert from 'node:assert/strict'
import test, { describe } from 'node:test'

import { escrowWorld, type EscrowWorld } from './support/escrow-world.ts'

const STATES = ['none', 'open', 'closing', 'notice over', 'closed'] as const
type State = (typeof STATES)[number]

/** Status numbers of the contract. */
const STATUS = { none: 0n, open: 1n, closing: 2n, 'notice over': 2n, closed: 3n } as const

/** What a call does in a state: the status it leads to, or the error that refuses it. */
type Outcome = bigint | string

interface Call {
  readonly name: string
  readonly run: (world: EscrowWorld) => Promise<unknown>
  readonly outcomes: Readonly<Record<State, Outcome>>
}

const WRONG = 'ComputeEscrowWrongStatus'

const CALLS: readonly Call[] = [
  {
    name: 'open',
    run: async (w) => w.as(w.requester, 'createChannel', [...(await w.openArguments(1n))]),
    outcomes: {
      none: STATUS.open,
      open: 'ComputeEscrowChannelExists',
      closing: 'ComputeEscrowChannelExists',
      'notice over': 'ComputeEscrowChannelExists',
      closed: 'ComputeEscrowChannelExists',
    },
  },
  {
    name: 'topUp',
    run: async (w) => w.as(w.requester, 'topUp', [await channelOf(w), 5n]),
    outcomes: { none: WRONG, open: 1n, closing: 2n, 'notice over': 2n, closed: WRONG },
  },
  {
    name: 'addBond',
    run: async (w) => w.as(w.provider, 'addBond', [await channelOf(w), 5n]),
    outcomes: { none: WRONG, open: 1n, closing: 2n, 'notice over': 2n, closed: WRONG },
  },
  {
    name: 'claim',
    run: async (w) => w.as(w.stranger, 'claim', [...(await w.voucherArguments(1n, 100n))]),
    outcomes: { none: WRONG, open: 1n, closing: 2n, 'notice over': 2n, closed: WRONG },
  },
  {
    name: 'claimMany',
    run: async (w) => w.as(w.stranger, 'claimMany', [...(await w.batchArguments(1n, 100n))]),
    outcomes: { none: 0n, open: 1n, closing: 2n, 'notice over': 2n, closed: 3n },
  },
  {
    name: 'claimAndClose by the provider',
    run: async (w) => w.as(w.provider, 'claimAndClose', [...(await w.voucherArguments(1n, 100n))]),
    outcomes: { none: WRONG, open: 3n, closing: 3n, 'notice over': 3n, closed: WRONG },
  },
  {
    name: 'claimAndClose by a stranger',
    run: async (w) => w.as(w.stranger, 'claimAndClose', [...(await w.voucherArguments(1n, 100n))]),
    outcomes: everywhere('ComputeEscrowNotAllowed'),
  },
  {
    name: 'claimAndClose by the requester',
    run: async (w) => w.as(w.requester, 'claimAndClose', [...(await w.voucherArguments(1n, 100n))]),
    outcomes: everywhere('ComputeEscrowNotAllowed'),
  },
  {
    name: 'startClose',
    run: async (w) => w.as(w.requester, 'startClose', [w.partiesOf(1n)]),
    outcomes: { none: WRONG, open: 2n, closing: WRONG, 'notice over': WRONG, closed: WRONG },
  },
  {
    name: 'startClose by a stranger',
    run: async (w) => w.as(w.stranger, 'startClose', [w.partiesOf(1n)]),
    outcomes: everywhere('ComputeEscrowNotAllowed'),
  },
  {
    name: 'close by a stranger',
    run: async (w) => w.as(w.stranger, 'close', [w.partiesOf(1n)]),
    outcomes: {
      none: WRONG,
      open: WRONG,
      closing: 'ComputeEscrowTooEarly',
      'notice over': 3n,
      closed: WRONG,
    },
  },
  {
    name: 'closeMutual',
    run: async (w) => w.as(w.stranger, 'closeMutual', [...(await w.mutualArguments(1n, 100n))]),
    outcomes: { none: WRONG, open: 3n, closing: 3n, 'notice over': 3n, closed: WRONG },
  },
]

function everywhere(outcome: Outcome): Call['outcomes'] {
  return { none: outcome, open: outcome, closing: outcome, 'notice over': outcome, closed: outcome }
}

function channelOf(world: EscrowWorld): Promise<string> {
  return world.read('channelIdOf', world.partiesOf(1n))
}

async function bring(world: EscrowWorld, state: State): Promise<void> {
  if (state === 'none') return
  await world.open(1n)
  if (state === 'open') return
  await world.as(world.requester, 'startClose', [world.partiesOf(1n)])
  if (state === 'closing') return
  const { closeAt } = await world.read('channel', await channelOf(world))
  await world.networkHelpers.time.setNextBlockTimestamp(closeAt + 1n)
  await world.networkHelpers.mine()
  if (state === 'notice over') return
  await world.as(world.stranger, 'close', [world.partiesOf(1n)])
}

for (const state of STATES) {
  describe(`channel in state ${state}`, async () => {
    const world = await escrowWorld()
    await bring(world, state)
    const start = await world.networkHelpers.takeSnapshot()

    for (const { name, run, outcomes } of CALLS) {
      const outcome = outcomes[state]
      const title =
        typeof outcome === 'string' ? `refused with ${outcome}` : `leads to status ${outcome}`
      test(`${name}: ${title}`, async () => {
        await start.restore()
        const before = await world.read('liabilities')
        if (typeof outcome === 'string') {
          assert.equal(await world.refusal(run(world)), outcome)
          const { status } = await world.read('channel', await channelOf(world))
          assert.equal(status, STATUS[state])
        } else {
          await run(world)
          const { status } = await world.read('channel', await channelOf(world))
          assert.equal(status, outcome)
        }
        assert.equal(await world.read('liabilities'), before)
      })
    }
  })
}
