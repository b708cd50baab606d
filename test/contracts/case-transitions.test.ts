import assert from 'node:assert/strict'
import test, { describe } from 'node:test'

import { ZeroHash } from 'ethers'

import { type Agreement, caseWorld, KIND, STATE, VERDICT } from './support/case-world.ts'

type World = Awaited<ReturnType<typeof caseWorld>>
type Who = 'requester' | 'requesterSigner' | 'provider' | 'providerSigner' | 'stranger'

const STATES = [
  'none',
  'opened',
  'no-show',
  'paid shown',
  'contested',
  'time over',
  'paid shown, time over',
  'ended',
] as const
type State = (typeof STATES)[number]

/** Numbers of the contract. */
const STATE_OF: Readonly<Record<State, bigint>> = {
  none: STATE.none,
  opened: STATE.opened,
  'no-show': STATE.opened,
  'paid shown': STATE.paidShown,
  contested: STATE.contested,
  'time over': STATE.opened,
  'paid shown, time over': STATE.paidShown,
  ended: STATE.providerRight,
}

/** The state a call leads to, or the error that refuses it. */
type Outcome = bigint | string

interface Scene {
  readonly world: World
  readonly agreement: Agreement
}

interface Call {
  readonly name: string
  readonly run: (scene: Scene) => Promise<unknown>
  /** Refused with ComputeEscrowWrongCaseState where nothing is said. */
  readonly outcomes: Readonly<Partial<Record<State, Outcome>>>
}

const WRONG = 'ComputeEscrowWrongCaseState'
const KIND_WRONG = 'ComputeEscrowWrongKind'
const EXPIRED = 'ComputeEscrowExpired'
const EARLY = 'ComputeEscrowTooEarly'
const NOT_ALLOWED = 'ComputeEscrowNotAllowed'

const shares = ({ world, agreement }: Scene) => [world.shareOf(agreement)]

const concede = (who: Who, outcomes: Call['outcomes']): Call => ({
  name: `concede by ${who}`,
  run: async ({ world, agreement }) =>
    world.as(world[who], 'concede', [world.partiesOf(1n), agreement]),
  outcomes,
})

const contest = (who: Who, outcomes: Call['outcomes']): Call => ({
  name: `contest by ${who}`,
  run: async ({ world, agreement }) => {
    const receipt = world.receiptOf(agreement)
    const args = [world.partiesOf(1n), agreement, receipt, await world.signReceipt(receipt)]
    return world.as(world[who], 'contest', args)
  },
  outcomes,
})

const show = (who: Who, outcomes: Call['outcomes']): Call => ({
  name: `showReceipt by ${who}`,
  run: async ({ world, agreement }) => {
    const receipt = world.receiptOf(agreement)
    const signature = await world.signReceipt(receipt)
    const args = [world.partiesOf(1n), agreement, receipt, signature, ZeroHash, []]
    return world.as(world[who], 'showReceipt', args)
  },
  outcomes,
})

const open = (who: Who, kind: bigint, none: Outcome): Call => ({
  name: `openCase of kind ${kind} by ${who}`,
  run: async ({ world, agreement }) =>
    world.as(world[who], 'openCase', [...(await world.caseArguments(kind, 1n, agreement))]),
  outcomes: { none },
})

const paysIn = { opened: 4n, contested: 4n, 'time over': 4n, 'no-show': NOT_ALLOWED }
const nobody = { opened: NOT_ALLOWED, contested: NOT_ALLOWED, 'time over': NOT_ALLOWED }
const contestedBy = { opened: 3n, 'no-show': KIND_WRONG, 'time over': EXPIRED }
const notContested = { opened: NOT_ALLOWED, 'no-show': KIND_WRONG, 'time over': EXPIRED }
const shownBy = (noShow: Outcome) => ({
  opened: KIND_WRONG,
  'no-show': noShow,
  'time over': KIND_WRONG,
})

const CALLS: readonly Call[] = [
  open('provider', KIND.nonPayment, 1n),
  open('providerSigner', KIND.nonPayment, 1n),
  open('requester', KIND.nonPayment, NOT_ALLOWED),
  open('requesterSigner', KIND.nonPayment, NOT_ALLOWED),
  open('stranger', KIND.nonPayment, NOT_ALLOWED),
  open('requester', KIND.wrongResult, 1n),
  open('requesterSigner', KIND.wrongResult, 1n),
  open('provider', KIND.wrongResult, NOT_ALLOWED),
  open('providerSigner', KIND.wrongResult, NOT_ALLOWED),
  open('stranger', KIND.wrongResult, NOT_ALLOWED),
  open('requester', KIND.noShow, EARLY),
  open('provider', KIND.delivered, KIND_WRONG),
  concede('requester', paysIn),
  concede('requesterSigner', paysIn),
  concede('provider', { ...nobody, 'no-show': 5n }),
  concede('providerSigner', { ...nobody, 'no-show': 5n }),
  concede('stranger', { ...nobody, 'no-show': NOT_ALLOWED }),
  contest('requester', contestedBy),
  contest('requesterSigner', contestedBy),
  contest('provider', notContested),
  contest('providerSigner', notContested),
  contest('stranger', notContested),
  show('provider', shownBy(1n)),
  show('providerSigner', shownBy(1n)),
  show('requester', shownBy(NOT_ALLOWED)),
  show('requesterSigner', shownBy(NOT_ALLOWED)),
  show('stranger', shownBy(NOT_ALLOWED)),
  {
    name: 'resolve by a stranger, before the verdict',
    run: async ({ world, agreement }) => world.resolve(1n, agreement),
    outcomes: { contested: EARLY },
  },
  ...([4n, 5n, 6n] as const).map((outcome, index): Call => {
    const verdict = [VERDICT.providerRight, VERDICT.providerWrong, VERDICT.undecided][index] ?? 0
    return {
      name: `resolve by a stranger, by verdict ${verdict}`,
      run: async ({ world, agreement }) => {
        const verifier = await world.ethers.getContractAt(
          'ScriptedVerifier',
          String(agreement['verifier']),
        )
        await world.as(world.owner, 'set', [0, verdict, 0n, 3600n], verifier as never)
        return world.resolve(1n, agreement)
      },
      outcomes: { contested: outcome },
    }
  }),
  {
    name: 'timeoutCase by a stranger',
    run: async ({ world, agreement }) => world.timeout(1n, agreement),
    outcomes: {
      opened: EARLY,
      'no-show': EARLY,
      'paid shown': EARLY,
      'time over': 4n,
      'paid shown, time over': 7n,
    },
  },
  {
    name: 'provePaid by a stranger',
    run: async (scene) =>
      scene.world.as(scene.world.stranger, 'provePaid', [
        ...(await scene.world.paidArguments(1n, scene.agreement, shares(scene), 0)),
      ]),
    outcomes: { opened: 2n, 'no-show': KIND_WRONG, 'time over': EXPIRED },
  },
  {
    name: 'disprovePaid by a stranger, with another job in the place',
    run: async (scene) => {
      const { world, agreement } = scene
      const [shown] = await world.voucherOver(1n, shares(scene))
      const [job] = world.placeOf(shares(scene), 0)
      const others = [{ ...world.shareOf(agreement), seq: 3 }]
      const [other, signature] = await world.voucherOver(1n, others)
      const [otherJob, proof] = world.placeOf(others, 0)
      const args = [world.partiesOf(1n), agreement, shown, job, other, signature, otherJob, proof]
      return world.as(world.stranger, 'disprovePaid', args)
    },
    outcomes: { 'paid shown': 4n, 'paid shown, time over': EXPIRED },
  },
  {
    name: 'equivocate by a stranger',
    run: async ({ world, agreement }) => {
      const receipts = [world.receiptOf(agreement), world.receiptOf(agreement, { completed: 0n })]
      const args = await world.equivocation(1n, agreement, receipts)
      return world.as(world.stranger, 'equivocate', [...args])
    },
    outcomes: {
      none: 5n,
      opened: 5n,
      'no-show': 5n,
      'paid shown': 5n,
      contested: 5n,
      'time over': 5n,
      'paid shown, time over': 5n,
    },
  },
]

/** An unpaid second job after a first that a voucher paid, in a case in this state. */
async function bring(state: State): Promise<Scene> {
  const world = await caseWorld()
  await world.open(1n, { deposit: 2000n })
  const verifier = await world.scriptedVerifier()
  await world.fund(world.requesterSigner.address, 1000n)
  await world.fund(world.providerSigner.address, 1000n)
  await world.as(world.stranger, 'claim', [...(await world.voucherArguments(1n, 400n))])
  const agreement = await world.agreementOf(1n, 2n, { verifier: verifier.address })
  const scene = { world, agreement }
  if (state === 'none') return scene
  if (state === 'no-show') await world.networkHelpers.time.increaseTo(agreement.finishBy + 1n)
  await world.bring(state === 'no-show' ? KIND.noShow : KIND.nonPayment, 1n, agreement)
  if (state === 'contested') {
    await verifier.tell(0, VERDICT.pending)
    await world.contest(world.requester, 1n, agreement)
  }
  if (state.startsWith('paid shown')) {
    const args = await world.paidArguments(1n, agreement, shares(scene), 0)
    await world.as(world.stranger, 'provePaid', [...args])
  }
  if (state.endsWith('time over')) await world.letExpire(agreement)
  if (state === 'ended') await world.concede(world.requester, 1n, agreement)
  return scene
}

for (const state of STATES) {
  describe(`case in state ${state}`, async () => {
    const scene = await bring(state)
    const { world, agreement } = scene
    const start = await world.networkHelpers.takeSnapshot()

    for (const { name, run, outcomes } of CALLS) {
      const outcome = outcomes[state] ?? WRONG
      const refused = typeof outcome === 'string'
      test(`${name}: ${refused ? 'refused with' : 'leads to state'} ${outcome}`, async () => {
        await start.restore()
        const before = await world.read('liabilities')
        if (refused) assert.equal(await world.refusal(run(scene)), outcome)
        else await run(scene)
        assert.equal(await world.stateOf(agreement), refused ? STATE_OF[state] : outcome)
        assert.equal(await world.read('liabilities'), before)
      })
    }
  })
}
