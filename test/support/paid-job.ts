import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BundleBody } from '../../node/api/schemas/bundle.ts'
import type { VerifyAnswer } from '../../node/cli/verify/verify-subject.ts'
import type { Bytes32 } from '../../node/domain/ids.ts'
import type { EscrowReads } from '../../node/ports/escrow.ts'
import { fromHex } from '../../node/protocol/bytes.ts'
import { fakeImage } from './fake-script.ts'
import { openTestApi, type TestApi } from './test-api.ts'
import { testCli, type TestCli } from './test-cli.ts'

/** What `hive verify` said, its texts by verdict. */
export interface Verified {
  readonly exit: number
  readonly answer: VerifyAnswer
  readonly proven: string
  readonly open: string
  readonly refuted: string
}

/** A value that may be changed. */
export type Change<T> = { -readonly [K in keyof T]: Change<T[K]> }

/** A job that was run and promised, its bundle, and a command line to check it with. */
export interface PaidJob extends AsyncDisposable {
  readonly it: TestApi
  readonly hive: TestCli
  readonly file: string
  readonly bundle: BundleBody
  readonly channel: Bytes32
  /** What endpoints say that do not say what the chain has, by their URL. */
  readonly liars: Map<string, (truth: EscrowReads) => EscrowReads>
  /** Asks the node for the bundle again. */
  freshBundle(): Promise<BundleBody>
  /** Writes the bundle, changed, and verifies it against the contract that is named. */
  check(change?: (bundle: Change<BundleBody>) => unknown, ...flags: string[]): Promise<Verified>
  /** Runs `hive verify` with these arguments. */
  verify(...line: string[]): Promise<Verified>
  /** Lets the provider take its money. */
  claim(): Promise<void>
  /** Ends the channel by a notice of the requester. */
  close(): Promise<void>
}

/** Runs a job of one task on a market in memory. */
export async function aPaidJob(): Promise<PaidJob> {
  const it = await openTestApi()
  const dir = await mkdtemp(join(tmpdir(), 'hive-verify-'))
  await writeFile(join(dir, 'p.wasm'), fakeImage({ stdout: 'x' }))
  const liars: PaidJob['liars'] = new Map()
  const { chain } = it.market
  const { signing } = it.member
  const own = chain.as(signing.address)
  const truth: EscrowReads = {
    chainId: own.chainId,
    address: own.address,
    newestBlock: async (options) => own.newestBlock(options),
    channel: async (id, options) => own.channel(id, options),
    events: async (query, options) => own.events(query, options),
  }
  const hive = testCli({
    dataDir: it.dataDir,
    cwd: dir,
    openEscrow: async ({ rpc }) => {
      const told = liars.get(rpc)?.(truth) ?? truth
      return { ...told, [Symbol.asyncDispose]: async () => {} }
    },
  })
  assert.equal(await hive.run('run', 'p.wasm'), 0)
  const [job] = await it.requester.book.list()
  const file = join(dir, 'proof.json')
  const freshBundle = async () => {
    assert.equal(await hive.run('job', job?.id ?? '', '--bundle', 'proof.json'), 0)
    return JSON.parse(await readFile(file, 'utf8')) as BundleBody
  }
  const verify = async (...line: string[]): Promise<Verified> => {
    const before = hive.stdout.text.length
    const exit = await hive.run('verify', ...line, '--json')
    const said = hive.stdout.text.slice(before)
    assert.notEqual(said, '', hive.stderr.text)
    const answer = JSON.parse(said) as VerifyAnswer
    const of = (verdict: string) =>
      answer.findings.flatMap((each) => (each.verdict === verdict ? [each.text] : [])).join('\n')
    return { exit, answer, proven: of('proven'), open: of('open'), refuted: of('refuted') }
  }
  const bundle = await freshBundle()
  const { id: channel, voucher } = bundle.channels[0] ?? assert.fail()
  const options = { signal: new AbortController().signal }
  return {
    it,
    hive,
    file,
    bundle,
    channel,
    liars,
    freshBundle,
    verify,
    async check(change = () => {}, ...flags) {
      const copy = structuredClone(bundle)
      change(copy)
      await writeFile(file, JSON.stringify(copy))
      return verify(file, '--rpc', 'http://x', '--escrow', bundle.escrow, ...flags)
    },
    async claim() {
      const { message, signatures } = signing.open('Voucher', fromHex(voucher ?? '0x'))
      await own.claim(message, signatures[0] ?? new Uint8Array(), options)
    },
    async close() {
      await own.startClose(channel, options)
      chain.now = () => Math.floor(Date.now() / 1000) + 25 * 3600
      await own.close(channel, options)
    },
    async [Symbol.asyncDispose]() {
      await it[Symbol.asyncDispose]()
      await rm(dir, { recursive: true })
    },
  }
}
