import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ESCROW_INTERFACE } from '../../node/adapters/chain/artifact.ts'
import { openChainEscrow } from '../../node/adapters/chain/chain-escrow.ts'
import { deployDevnet, type DevnetContracts } from '../../node/adapters/chain/deploy.ts'
import { systemClock } from '../../node/adapters/system/system-clock.ts'
import type { BundleBody } from '../../node/api/schemas/bundle.ts'
import type { VerifyAnswer } from '../../node/cli/verify/verify-subject.ts'
import type { Agreement } from '../../node/domain/agreement.ts'
import type { Address, Bytes32 } from '../../node/domain/ids.ts'
import type { PaidShare } from '../../node/domain/voucher.ts'
import type { Escrow } from '../../node/ports/escrow.ts'
import { toHex } from '../../node/protocol/bytes.ts'
import { channelId } from '../../node/protocol/channel-id.ts'
import { cidDigest } from '../../node/protocol/cid.ts'
import { createEnvelopeCodec } from '../../node/protocol/envelope.ts'
import { jobsProof, jobsRoot } from '../../node/protocol/jobs-root.ts'
import { bondNonce } from '../../node/protocol/random.ts'
import { taskListHash } from '../../node/protocol/typed-data.ts'
import { createSigning, type Signing } from '../../node/services/signing.ts'
import { startChain } from '../../scripts/devnet/chain.ts'
import type { Child } from '../../scripts/devnet/child.ts'
import { anAgreement, aReceipt, bytes32Of, SOME_CID } from '../support/messages.ts'
import { testCli } from '../support/test-cli.ts'
import { testKey, testSigner } from '../support/test-signer.ts'
import { startProxy, type ChainProxy } from './chain-proxy.ts'

const PRICE = 300n
const DEPOSIT = 1000n
const CLAIMED_TOPIC = ESCROW_INTERFACE.getEvent('Claimed')?.topicHash
const signal = AbortSignal.timeout(120_000)

interface Party {
  readonly signing: Signing
  readonly escrow: Escrow
}

interface Log {
  topics: string[]
  data: string
}

const parts = new AsyncDisposableStack()
let dir: string
let chain: Child<{ readonly url: string }>
let contracts: DevnetContracts
let liar: ChainProxy
let alice: Party
let bob: Party

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hive-verify-'))
  parts.defer(async () => rm(dir, { recursive: true }))
  chain = parts.use(await startChain(dir, signal))
  contracts = parts.use(await deployDevnet(chain.ready.url, 250))
  liar = parts.use(await startProxy(chain.ready.url))
  alice = await party(81)
  bob = await party(82)
  await alice.escrow.deposit(10n * DEPOSIT, { signal })
})

after(async () => parts.disposeAsync())

test('verify on a real chain: a paid job is proven from an endpoint and its bundle', async () => {
  const job = await aJob()
  const promised = await verify(job)
  assert.equal(promised.exit, 0, promised.said)
  assert.match(promised.said, /promised, at/)
  await job.claim()
  const paid = await verify(job)
  assert.equal(paid.exit, 0, paid.said)
  assert.match(paid.said, /paid on chain. The claim in block \d+ contains exactly this share/)
  assert.match(paid.said, /as number 2 of the 2 that it pays/)
  assert.match(paid.said, /The channel was opened for this agreement/)
})

test('verify on a real chain: a channel tells its life to the end, with no file', async () => {
  const job = await aJob()
  await job.claim()
  await alice.escrow.startClose(job.channel, { signal })
  await rpc('evm_increaseTime', [25 * 3600])
  await rpc('evm_mine', [])
  await bob.escrow.close(job.channel, { signal })
  const { exit, said } = await verify({ subject: job.channel })
  assert.equal(exit, 0, said)
  assert.match(said, new RegExp(`after the notice that ${alice.signing.address} gave in block`))
  assert.match(said, /for 2 paid shares in all/)
})

test('verify on a real chain: a sponsor and a case that paid are part of the story', async () => {
  const job = await aJob()
  const { message: agreement, signatures } = job.agreement
  const [requesterSignature, providerSignature] = signatures
  assert.ok(requesterSignature !== undefined && providerSignature !== undefined)
  const receipt = {
    receipt: job.receipt.message,
    signature: job.receipt.signatures[0] ?? new Uint8Array(),
  }
  await alice.escrow.sponsor(job.channel, 5n, { signal })
  const both = { agreement, requesterSignature, providerSignature }
  await bob.escrow.cases.open('non-payment', both, receipt, { signal })
  const pending = await verify(job)
  assert.equal(pending.exit, 4, pending.said)
  assert.match(pending.said, /brought share 0x\w+ before the contract, because its receipt was not/)
  assert.match(pending.said, /as a sponsor, added/)
  await alice.escrow.cases.concede(agreement, { signal })
  const ended = await verify(job)
  assert.equal(ended.exit, 0, ended.said)
  assert.match(ended.said, /ended for the provider/)
  assert.match(ended.said, /paid on chain, with .* by the case that ended in block/)
})

test('verify on a real chain: an endpoint that hides a claim contradicts itself', async () => {
  const job = await aJob()
  await job.claim()
  liar.lie = (method, result) => (method === 'eth_getLogs' ? withoutClaims(result) : undefined)
  const { exit, said } = await verify(job, liar.url)
  assert.equal(exit, 3)
  assert.match(said, /contradicts itself.*what was paid differs/)
})

test('verify on a real chain: an endpoint that lies consistently is caught by a second one', async () => {
  const job = await aJob()
  const beforeClaim = await raw('eth_call', [channelCall(job.channel), 'latest'])
  await job.claim()
  liar.lie = (method, result) => {
    if (method === 'eth_getLogs') return withoutClaims(result)
    return method === 'eth_call' && String(result).length === beforeClaim.length
      ? beforeClaim
      : undefined
  }
  const alone = await verify(job, liar.url)
  assert.equal(alone.exit, 0, alone.said)
  assert.match(alone.said, /not claimed yet/)
  const { exit, said } = await verify(job, liar.url, chain.ready.url)
  assert.equal(exit, 3)
  assert.match(said, /disagree about channel/)
  assert.match(said, /knows of nothing more up to block/)
})

test('verify on a real chain: made up parties, damaged logs and other contracts’ logs are refused', async () => {
  const job = await aJob()
  const stranger = `0x${'66'.repeat(20)}`
  const each = (change: (log: Log) => Log) => (method: string, result: unknown) =>
    method === 'eth_getLogs' ? (result as Log[]).map(change) : undefined
  const lies: ChainProxy['lie'][] = [
    each((log) => ({
      ...log,
      topics: log.topics.with(2, `0x${stranger.slice(2).padStart(64, '0')}`),
    })),
    each((log) => ({ ...log, data: `${log.data.slice(0, 90)}00${log.data.slice(92)}` })),
    each((log) => ({ ...log, data: log.data.slice(0, 66) })),
    each((log) => ({ ...log, address: stranger })),
    each((log) => ({ ...log, topics: log.topics.with(1, bytes32Of('99')) })),
    (method, result) =>
      method === 'eth_getLogs' ? [...(result as Log[]), ...(result as Log[])] : undefined,
  ]
  for (const [at, lie] of lies.entries()) {
    liar.lie = lie
    const { exit, said } = await verify(job, liar.url)
    assert.notEqual(exit, 0, `${at}: ${said}`)
    assert.doesNotMatch(said, /"verdict":"proven","text":"Share/, `${at}`)
  }
})

test('verify on a real chain: answers that are no answers end with a code', async () => {
  const job = await aJob()
  for (const nonsense of [null, 'x', 7, { a: 1 }, [null], [{}]]) {
    liar.lie = (method) =>
      method === 'eth_getLogs' || method === 'eth_call' ? nonsense : undefined
    const { exit } = await verify(job, liar.url)
    assert.ok(exit === 1 || exit === 3, JSON.stringify(nonsense))
  }
  liar.lie = (method) => (method === 'eth_chainId' ? '0x1' : undefined)
  assert.equal((await verify(job, liar.url)).exit, 1)
})

interface Checked {
  /** A bundle file or a channel. */
  readonly subject: string
}

async function verify({ subject }: Checked, ...rpcs: string[]) {
  const hive = testCli({
    openEscrow: async ({ signal: stop, ...where }) =>
      openChainEscrow({ clock: systemClock }, where, stop),
  })
  const endpoints = (rpcs.length === 0 ? [chain.ready.url] : rpcs).flatMap((url) => ['--rpc', url])
  const line = ['verify', subject, ...endpoints, '--escrow', contracts.escrow, '--json']
  const exit = await hive.run(...line)
  const said = hive.stdout.text
  const findings = said === '' ? [] : (JSON.parse(said) as VerifyAnswer).findings
  return { exit, said: said + hive.stderr.text, findings }
}

/** A share that Bob ran for Alice, the second that she pays on a channel opened for it. */
async function aJob() {
  const provider = bob.signing.address
  const requester = alice.signing.address
  const pair = { provider, requester, providerSigner: provider, bond: 0n, hold: 0 }
  const expiry = Math.floor(Date.now() / 1000) + 400 * 24 * 3600
  const bondOffer = { ...pair, expiry, nonce: bondNonce(requester) }
  const bondSignature = bob.signing.seal('BondOffer', bondOffer).signatures[0] ?? new Uint8Array()
  const job = bytes32Of('0f')
  const about: Partial<Agreement> = {
    offer: job,
    spec: cidDigest(SOME_CID),
    input: taskListHash([0]),
    seq: 2,
    tasks: 1,
    price: PRICE,
    owedAfter: 2n * PRICE,
  }
  const { chainId, escrow } = contracts
  const channel = channelId({ chainId, escrow }, bondOffer)
  const terms = anAgreement({ ...about, channel })
  const agreement = bob.signing.countersign(alice.signing.seal('Agreement', terms))
  const opening = { bondOffer, bondSignature, requesterSigner: requester, deposit: DEPOSIT }
  await alice.escrow.open({ ...opening, agreement: agreement.id }, { signal })
  const award = alice.signing.seal('Award', { agreement: agreement.id, tasks: [0], issuedAt: 0 })
  const work = { agreement: agreement.id, completed: 1, amount: PRICE }
  const receipt = bob.signing.seal('Receipt', aReceipt(work))
  const paid: PaidShare[] = [
    { seq: 1, agreement: bytes32Of('a1'), amount: PRICE },
    { seq: 2, agreement: agreement.id, amount: PRICE },
  ]
  const promise = { channel, cumulative: 2n * PRICE, jobs: 2, jobsRoot: jobsRoot(paid) }
  const voucher = alice.signing.seal('Voucher', promise)
  const proof = { jobs: 2, index: 1, jobsRoot: promise.jobsRoot, siblings: jobsProof(paid, 1) }
  const bundle: BundleBody = {
    version: 2,
    chainId: contracts.chainId,
    escrow: contracts.escrow,
    requester,
    job,
    spec: SOME_CID,
    tasks: 1,
    shares: [
      {
        id: agreement.id,
        channel,
        seq: 2,
        agreement: toHex(agreement.bytes),
        award: toHex(award.bytes),
        receipt: toHex(receipt.bytes),
        amount: PRICE.toString(),
        proofs: [proof],
      },
    ],
    channels: [{ id: channel, voucher: toHex(voucher.bytes) }],
  }
  const subject = join(dir, `${channel}.json`)
  await writeFile(subject, JSON.stringify(bundle))
  const claim = async () =>
    bob.escrow.claim(promise, voucher.signatures[0] ?? new Uint8Array(), { signal })
  return { subject, channel, claim, agreement, receipt }
}

async function party(number: number): Promise<Party> {
  const signer = testSigner(number)
  await contracts.fund(signer.address, 10n * DEPOSIT)
  const { chainId, escrow: address } = contracts
  const escrow = await openChainEscrow(
    { clock: systemClock, privateKey: testKey(number) },
    { rpc: chain.ready.url, address },
    signal,
  )
  parts.use(escrow)
  const codec = createEnvelopeCodec({ chainId, escrow: address })
  return { signing: createSigning(codec, signer), escrow }
}

function withoutClaims(logs: unknown): Log[] {
  return (logs as Log[]).filter(({ topics }) => topics[0] !== CLAIMED_TOPIC)
}

function channelCall(channel: Bytes32): { to: Address; data: string } {
  return { to: contracts.escrow, data: ESCROW_INTERFACE.encodeFunctionData('channel', [channel]) }
}

async function raw(method: string, params: unknown[]): Promise<string> {
  return String(await rpc(method, params))
}

async function rpc(method: string, params: unknown[]): Promise<unknown> {
  const answer = await fetch(chain.ready.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  return ((await answer.json()) as { result?: unknown }).result
}
