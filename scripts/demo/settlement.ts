import { Contract, JsonRpcProvider } from 'ethers'
import { openChainEscrow } from '../../node/adapters/chain/chain-escrow.ts'
import { ESCROW_INTERFACE, TOKEN_INTERFACE } from '../../node/adapters/chain/artifact.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import type { BundleBody } from '../../node/api/schemas/bundle.ts'
import { HiveError } from '../../node/domain/errors.ts'
import type { Address, Bytes32 } from '../../node/domain/ids.ts'
import type { Amount } from '../../node/domain/money.ts'
import type { EscrowEvent } from '../../node/ports/escrow.ts'
import { rootFromProof } from '../../node/protocol/jobs-root.ts'

/** A channel's story, from the contract's events and state. */
export interface ChannelStory {
  readonly id: Bytes32
  readonly provider: Address
  readonly deposit: Amount
  readonly bond: Amount
  readonly settled: Amount
  readonly paid: Amount
  readonly fee: Amount
  readonly jobsRoot: Bytes32
}

/** The contract's own sums. */
export interface Solvency {
  readonly liabilities: Amount
  readonly tokens: Amount
}

const CLAIM_PATIENCE_MS = 30_000
const LOOK_EVERY_MS = 250

/** Reads the chain, and nothing else. */
export async function readSettlement(
  rpc: string,
  address: Address,
  requester: Address,
  expected: Amount,
  signal: AbortSignal,
): Promise<readonly ChannelStory[]> {
  await using escrow = await openChainEscrow({ clock: systemClock }, { rpc, address }, signal)
  const deadline = Date.now() + CLAIM_PATIENCE_MS
  for (;;) {
    const events = await escrow.events({ fromBlock: 0 }, { signal })
    const stories = storiesOf(events, requester)
    const claimed = stories.reduce((sum, { paid }) => sum + paid, 0n)
    if (claimed === expected) return stories
    if (Date.now() > deadline) throw new HiveError('JOB_TIMEOUT', { claimed, expected })
    await systemClock.sleep(LOOK_EVERY_MS, signal)
  }
}

/** What the contract owes and what it holds. */
export async function readSolvency(rpc: string, address: Address): Promise<Solvency> {
  const provider = new JsonRpcProvider(rpc, undefined, { staticNetwork: true, cacheTimeout: -1 })
  try {
    const escrow = new Contract(address, ESCROW_INTERFACE, provider)
    const liabilities = (await escrow.getFunction('liabilities')()) as bigint
    const token = new Contract(
      (await escrow.getFunction('token')()) as string,
      TOKEN_INTERFACE,
      provider,
    )
    return { liabilities, tokens: (await token.getFunction('balanceOf')(address)) as bigint }
  } finally {
    provider.destroy()
  }
}

/** The amount of each share of a job that a claim on chain proves, by its Merkle proof. */
export function provenShares(bundle: BundleBody, stories: readonly ChannelStory[]) {
  return bundle.shares.flatMap((share) => {
    const story = stories.find(({ id }) => id === share.channel)
    if (story === undefined || share.amount === undefined) return []
    const leaf = { seq: share.seq, agreement: share.id as Bytes32, amount: BigInt(share.amount) }
    const proof = share.proofs.find(({ jobsRoot }) => jobsRoot === story.jobsRoot)
    const proven =
      proof !== undefined &&
      rootFromProof(leaf, proof.index, proof.jobs, proof.siblings) === story.jobsRoot
    return proven ? [{ provider: story.provider, amount: leaf.amount }] : []
  })
}

function storiesOf(events: readonly EscrowEvent[], requester: Address): ChannelStory[] {
  const opened = events.filter((event) => event.type === 'opened' && event.requester === requester)
  return opened.flatMap((event) => {
    if (event.type !== 'opened') return []
    const own = events.filter(({ channel }) => channel === event.channel)
    const claims = own.filter((each) => each.type === 'claimed')
    const topUps = own.filter((each) => each.type === 'topped-up')
    const last = claims.at(-1)
    return [
      {
        id: event.channel,
        provider: event.provider,
        deposit: topUps.reduce((sum, { amount }) => sum + amount, event.deposit),
        bond: event.bond,
        settled: last?.cumulative ?? 0n,
        paid: claims.reduce((sum, { paid }) => sum + paid, 0n),
        fee: claims.reduce((sum, { fee }) => sum + fee, 0n),
        jobsRoot: last?.jobsRoot ?? `0x${'0'.repeat(64)}`,
      } satisfies ChannelStory,
    ]
  })
}
