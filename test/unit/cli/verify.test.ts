import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BundleBody } from '../../../node/api/schemas/bundle.ts'
import type { Escrow } from '../../../node/ports/escrow.ts'
import { fakeImage } from '../../support/fake-script.ts'
import { openTestApi, type TestApi } from '../../support/test-api.ts'
import { testCli, type TestCli } from '../../support/test-cli.ts'

interface Setting extends AsyncDisposable {
  readonly it: TestApi
  readonly hive: TestCli
  readonly file: string
  readonly bundle: BundleBody
  /** Writes the changed bundle and verifies it. */
  check(change?: (bundle: BundleBody) => unknown): Promise<Answer>
}

interface Answer {
  readonly exit: number
  readonly proven: string
  readonly open: string
  readonly refuted: string
}

type Change<T> = { -readonly [K in keyof T]: Change<T[K]> }

async function aPaidJob(): Promise<Setting> {
  const it = await openTestApi()
  const dir = await mkdtemp(join(tmpdir(), 'hive-verify-'))
  await writeFile(join(dir, 'p.wasm'), fakeImage({ stdout: 'x' }))
  const readOnly = { ...escrowOf(it), [Symbol.asyncDispose]: async () => {} }
  const hive = testCli({ dataDir: it.dataDir, cwd: dir, openEscrow: async () => readOnly })
  assert.equal(await hive.run('run', 'p.wasm'), 0)
  const [job] = await it.requester.book.list()
  assert.equal(await hive.run('job', job?.id ?? '', '--bundle', 'proof.json'), 0)
  const file = join(dir, 'proof.json')
  const bundle = JSON.parse(await readFile(file, 'utf8')) as BundleBody
  return {
    it,
    hive,
    file,
    bundle,
    async check(change = () => {}) {
      const copy = structuredClone(bundle)
      change(copy)
      await writeFile(file, JSON.stringify(copy))
      return answerOf(hive, 'verify', file, '--rpc', 'http://x')
    },
    async [Symbol.asyncDispose]() {
      await it[Symbol.asyncDispose]()
      await rm(dir, { recursive: true })
    },
  }
}

/** The reading half of the contract, as an object that can be spread. */
function escrowOf({ market, member }: TestApi): Escrow {
  const escrow = market.chain.as(member.signing.address)
  return {
    chainId: escrow.chainId,
    address: escrow.address,
    channel: async (id, options) => escrow.channel(id, options),
    events: async (query, options) => escrow.events(query, options),
  } as Escrow
}

async function answerOf(hive: TestCli, ...line: string[]): Promise<Answer> {
  const before = hive.stdout.text.length
  const exit = await hive.run(...line, '--json')
  const { findings } = JSON.parse(hive.stdout.text.slice(before)) as {
    findings: { verdict: string; text: string }[]
  }
  const of = (verdict: string) =>
    findings.flatMap((each) => (each.verdict === verdict ? [each.text] : [])).join('\n')
  return { exit, proven: of('proven'), open: of('open'), refuted: of('refuted') }
}

/** Lets the provider take its money. */
async function claim({ it, bundle }: Setting): Promise<void> {
  const { signing } = it.member
  const voucher = signing.open(
    'Voucher',
    Buffer.from((bundle.channels[0]?.voucher ?? '').slice(2), 'hex'),
  )
  const [signature] = voucher.signatures
  assert.ok(signature)
  const { signal } = new AbortController()
  await it.market.chain.as(signing.address).claim(voucher.message, signature, { signal })
}

test('verify: a promised share is proven as promised, and as paid once it was claimed', async () => {
  await using setting = await aPaidJob()
  const before = await setting.check()
  assert.equal(before.exit, 0)
  assert.match(before.proven, /both signed an agreement over 1 task/)
  assert.match(before.proven, /signed a receipt for 1 of 1 task/)
  assert.match(before.proven, /promised by a voucher/)
  assert.match(before.open, /results are right/)
  await claim(setting)
  const after = await setting.check()
  assert.match(after.proven, /paid on chain/)
  assert.equal(after.refuted, '')
})

test('verify: a raised amount is not what the provider signed and under no root', async () => {
  await using setting = await aPaidJob()
  const answer = await setting.check((bundle) => {
    const [share] = bundle.shares as Change<BundleBody['shares']>
    if (share?.amount !== undefined) share.amount = (BigInt(share.amount) + 1n).toString()
  })
  assert.equal(answer.exit, 1)
  assert.match(answer.refuted, /receipt/)
  assert.doesNotMatch(answer.proven, /promised|paid on chain/)
})

test('verify: an agreement with a changed byte proves nothing', async () => {
  await using setting = await aPaidJob()
  const answer = await setting.check((bundle) => {
    const [share] = bundle.shares as Change<BundleBody['shares']>
    if (share === undefined) return
    const at = share.agreement.length - 20
    const digit = share.agreement[at] === '0' ? '1' : '0'
    share.agreement =
      `${share.agreement.slice(0, at)}${digit}${share.agreement.slice(at + 1)}` as `0x${string}`
  })
  assert.equal(answer.exit, 1)
  assert.notEqual(answer.refuted, '')
})

test('verify: a proof of another share does not pass for this one', async () => {
  await using setting = await aPaidJob()
  const answer = await setting.check((bundle) => {
    const [proof] = (bundle.shares[0]?.proofs ?? []) as Change<BundleBody['shares'][0]['proofs']>
    if (proof !== undefined) proof.siblings = [`0x${'ab'.repeat(32)}`]
  })
  assert.match(answer.open, /no claim on chain and no voucher contains it/)
  assert.doesNotMatch(answer.proven, /promised|paid on chain/)
})

test('verify: a channel that was never opened is refuted', async () => {
  await using setting = await aPaidJob()
  setting.it.market.chain.channels.clear()
  const answer = await setting.check()
  assert.equal(answer.exit, 1)
  assert.match(answer.refuted, /does not exist/)
})

test('verify: an endpoint whose events and state disagree is caught', async () => {
  await using setting = await aPaidJob()
  await claim(setting)
  const { channels } = setting.it.market.chain
  for (const [id, channel] of channels)
    channels.set(id, { ...channel, settled: channel.settled + 1n })
  assert.match((await setting.check()).refuted, /contradicts itself/)
})

test('verify: a channel alone tells its money and leaves the jobs open', async () => {
  await using setting = await aPaidJob()
  const id = setting.bundle.channels[0]?.id ?? ''
  const line = ['verify', id, '--rpc', 'http://x', '--escrow', setting.bundle.escrow]
  const answer = await answerOf(setting.hive, ...line)
  assert.equal(answer.exit, 0)
  assert.match(answer.proven, /opened in block/)
  assert.match(answer.open, /Which jobs/)
})

test('verify: a bundle with mistakes is refused with all of them', async () => {
  await using setting = await aPaidJob()
  await writeFile(setting.file, JSON.stringify({ ...setting.bundle, escrow: 'x', tasks: 0 }))
  assert.equal(await setting.hive.run('verify', setting.file, '--rpc', 'http://x'), 1)
  assert.match(setting.hive.stderr.text, /INPUT_INVALID[\s\S]*bundle\.escrow[\s\S]*bundle\.tasks/)
  assert.equal(
    await setting.hive.run('verify', '/no/file', '--rpc', 'http://x', '--escrow', 'x'),
    1,
  )
})
