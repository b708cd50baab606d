import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openChainEscrow } from '../../node/adapters/chain/chain-escrow.ts'
import { deployDevnet } from '../../node/adapters/chain/deploy.ts'
import { connectRpc } from '../../node/adapters/chain/rpc-endpoint.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import { ZERO_BYTES32, type Bytes32 } from '../../node/domain/ids.ts'
import { toHex } from '../../node/protocol/bytes.ts'
import { createEnvelopeCodec } from '../../node/protocol/envelope.ts'
import { bondNonce } from '../../node/protocol/random.ts'
import { Earnings } from '../../node/services/provider/earnings.ts'
import type { EarningRecord } from '../../node/services/provider/records.ts'
import { WorkBook } from '../../node/services/provider/work-book.ts'
import { Reconciler } from '../../node/services/reconciler.ts'
import { ChannelLedger } from '../../node/services/requester/channel-ledger.ts'
import { createSigning } from '../../node/services/signing.ts'
import { Table } from '../../node/services/table.ts'
import { startChain } from '../../scripts/devnet/chain.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { quietLogger } from '../support/quiet-logger.ts'
import { testKey, testSigner } from '../support/test-signer.ts'

const OWED = 300n
const DEPOSIT = 1000n
const ALICE = 71
const BOB = 72
const signal = AbortSignal.timeout(60_000)

test('a reorganisation takes a claim out: the reconciler notices, and it is sent again', async () => {
  await using on = await openChannels(2)
  const [first] = on.channels
  assert.ok(first)
  const before: unknown = await on.rpc.send('evm_snapshot', [])
  await on.earnings.claim(first, signal)
  assert.equal(await on.settled(first), OWED)
  assert.equal(on.earnings.get(first)?.claimed, OWED)

  await on.rpc.send('evm_revert', [before])
  assert.equal(await on.settled(first), 0n)
  assert.equal(await on.reconciler.pass(signal), 1)
  assert.equal(on.earnings.get(first)?.claimed, 0n)

  await on.claimUntil(async () => on.earnings.get(first)?.claimed === OWED)
  assert.equal(await on.settled(first), OWED)
  assert.equal(await on.reconciler.pass(signal), 0)
})

test('several channels are due: one transaction claims on them all', async () => {
  await using on = await openChannels(3)
  const from = await on.rpc.getBlockNumber()
  await on.claimUntil(async () => on.earnings.all().every(({ claimed }) => claimed === OWED))
  const events = await on.escrow.events({ fromBlock: from + 1 }, { signal })
  assert.deepEqual(new Set(events.map(({ channel }) => channel)), new Set(on.channels))
  assert.equal(new Set(events.map(({ transaction }) => transaction)).size, 1)
  const settled = await Promise.all(on.channels.map(async (id) => on.settled(id)))
  assert.deepEqual(settled, [OWED, OWED, OWED])
})

test('a voucher that the contract refuses does not hold back the claims beside it', async () => {
  await using on = await openChannels(3, { forged: 1 })
  const all = async () => Promise.all(on.channels.map(async (id) => on.settled(id)))
  await on.claimUntil(async () => (await all()).filter((settled) => settled === OWED).length === 2)
  assert.deepEqual(await all(), [OWED, 0n, OWED])
})

/** Alice has paid Bob on several channels of a real contract, and Bob has claimed nothing. */
async function openChannels(count: number, { forged = -1 } = {}) {
  await using stack = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'hive-claims-'))
  stack.defer(async () => rm(dir, { recursive: true }))
  const chain = stack.use(await startChain(dir, signal))
  const contracts = stack.use(await deployDevnet(chain.ready.url, 250))
  const rpc = await connectRpc(chain.ready.url, undefined, signal)
  stack.defer(() => rpc.destroy())
  const codec = createEnvelopeCodec({ chainId: contracts.chainId, escrow: contracts.escrow })
  const party = async (number: number) => {
    const signer = testSigner(number)
    await contracts.fund(signer.address, 10n * DEPOSIT)
    const parts = { clock: systemClock, privateKey: testKey(number) }
    const options = { rpc: chain.ready.url, address: contracts.escrow }
    const escrow = stack.use(await openChainEscrow(parts, options, signal))
    return { signer, escrow, signing: createSigning(codec, signer), store: new MemoryStore() }
  }
  const [alice, bob] = [await party(ALICE), await party(BOB)]
  await alice.escrow.deposit(BigInt(count) * DEPOSIT, { signal })

  const table = new Table<EarningRecord>(bob.store, 'earning/')
  const channels: Bytes32[] = []
  for (let at = 0; at < count; at++) {
    const requester = alice.signer.address
    const provider = bob.signer.address
    const nonce = bondNonce(requester)
    const expiry = Math.floor(Date.now() / 1000) + 3600
    const bondOffer = {
      provider,
      requester,
      providerSigner: provider,
      bond: 0n,
      hold: 0,
      expiry,
      nonce,
    }
    const bondSignature = bob.signing.seal('BondOffer', bondOffer).signatures[0] ?? new Uint8Array()
    const { id } = await alice.escrow.open(
      {
        bondOffer,
        bondSignature,
        requesterSigner: requester,
        deposit: DEPOSIT,
        agreement: ZERO_BYTES32,
      },
      { signal },
    )
    const sums = { deposit: DEPOSIT, cumulative: OWED, claimed: 0n }
    const voucher = { channel: id, cumulative: OWED, jobs: 1, jobsRoot: ZERO_BYTES32 }
    const { signing } = at === forged ? bob : alice
    const sealed = toHex(signing.seal('Voucher', voucher).bytes)
    await table.put(id, { id, requester, ...sums, lastSeq: 1, voucher: sealed, paid: [] })
    channels.push(id)
  }

  const log = quietLogger()
  const parts = { ...bob, clock: systemClock, logger: log, works: new WorkBook(bob.store) }
  const earnings = new Earnings(parts, { claimAbove: 1n, claimAfterIdleMs: 3600_000 })
  await earnings.load()
  const ledger = new ChannelLedger(parts, { channelDeposit: DEPOSIT })
  const reconciler = stack.use(new Reconciler({ ...parts, channels: ledger, earnings }))
  const settled = async (id: Bytes32) => (await bob.escrow.channel(id, { signal }))?.settled
  const resources = stack.move()
  return {
    rpc,
    channels,
    earnings,
    reconciler,
    escrow: bob.escrow,
    settled,
    /** Runs the provider's claiming until `isSo`. */
    async claimUntil(isSo: () => Promise<boolean>) {
      const stop = new AbortController()
      const claiming = earnings.claimLoop(AbortSignal.any([stop.signal, signal]))
      while (!(await isSo())) await systemClock.sleep(20, signal)
      stop.abort()
      await claiming
    },
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}
