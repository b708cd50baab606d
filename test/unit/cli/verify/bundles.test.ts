import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { aPaidJob } from '../../../support/paid-job.ts'

const PROVEN = 0
const REFUTED = 3
const NOT_PROVEN = 4

test('verify: a promised share is proven as promised, and as paid once it was claimed', async () => {
  await using job = await aPaidJob()
  const before = await job.check()
  assert.equal(before.exit, PROVEN, before.open)
  const { verdict, funding, payment, state } = before.answer
  assert.deepEqual([verdict, funding, payment, state], ['proven', 'proven', 'proven', 'proven'])
  assert.match(before.proven, /both signed an agreement over 1 task/)
  assert.match(before.proven, /signed a receipt for 1 of 1 task/)
  assert.match(before.proven, /promised by a voucher|promised, at/)
  assert.match(before.open, /results are right/)
  await job.claim()
  const after = await job.check()
  assert.match(after.proven, /paid on chain/)
  assert.doesNotMatch(after.proven, /not claimed yet/)
  assert.equal(after.refuted, '')
})

test('verify: what signatures prove is told from what rests on the endpoint', async () => {
  await using job = await aPaidJob()
  const { findings } = (await job.check()).answer
  const by = (ground: string) => findings.flatMap((each) => (each.by === ground ? each.text : []))
  assert.equal(by('signatures').filter((text) => /agreement over|receipt/i.test(text)).length, 3)
  assert.ok(by('chain').some((text) => text.includes('was opened in block')))
  assert.ok(by('signatures').every((text) => !text.includes('block')))
})

test('verify: a contract that the bundle alone names proves no funding', async () => {
  await using job = await aPaidJob()
  const { exit, answer, open } = await job.verify(job.file, '--rpc', 'http://x')
  assert.equal(exit, NOT_PROVEN)
  assert.deepEqual([answer.funding, answer.payment], ['open', 'proven'])
  assert.match(open, /contract you trust/)
})

test('verify: a raised amount is not what the provider signed and under no root', async () => {
  await using job = await aPaidJob()
  const answer = await job.check(({ shares: [share] }) => {
    if (share?.amount !== undefined) share.amount = (BigInt(share.amount) + 1n).toString()
  })
  assert.equal(answer.exit, REFUTED)
  assert.match(answer.refuted, /receipt/)
  assert.doesNotMatch(answer.proven, /promised|paid on chain/)
})

test('verify: an agreement with a changed byte proves nothing', async () => {
  await using job = await aPaidJob()
  const answer = await job.check(({ shares: [share] }) => {
    if (share === undefined) return
    const at = share.agreement.length - 20
    const digit = share.agreement[at] === '0' ? '1' : '0'
    share.agreement =
      `${share.agreement.slice(0, at)}${digit}${share.agreement.slice(at + 1)}` as `0x${string}`
  })
  assert.equal(answer.exit, REFUTED)
  assert.notEqual(answer.refuted, '')
})

test('verify: a proof with another sibling, place or root leaves the payment open', async () => {
  await using job = await aPaidJob()
  const wrong = [
    { siblings: [`0x${'ab'.repeat(32)}`] },
    { index: 1 },
    { index: 1, jobs: 2 },
  ] as const
  for (const change of wrong) {
    const answer = await job.check(({ shares: [share] }) =>
      Object.assign(share?.proofs[0] ?? {}, change),
    )
    assert.equal(answer.exit, NOT_PROVEN)
    assert.equal(answer.answer.payment, 'open')
    assert.match(answer.open, /no voucher contains it/)
    assert.doesNotMatch(answer.proven, /promised|paid on chain/)
  }
})

test('verify: a bundle without its voucher, receipt or amount proves the less', async () => {
  await using job = await aPaidJob()
  const noVoucher = await job.check(({ channels }) => delete channels[0]?.voucher)
  assert.deepEqual([noVoucher.exit, noVoucher.answer.payment], [NOT_PROVEN, 'open'])
  const noAmount = await job.check(({ shares }) => delete shares[0]?.amount)
  assert.deepEqual([noAmount.exit, noAmount.answer.payment], [NOT_PROVEN, 'open'])
  const noReceipt = await job.check(({ shares }) => delete shares[0]?.receipt)
  assert.deepEqual([noReceipt.exit, noReceipt.answer.state], [NOT_PROVEN, 'open'])
  assert.match(noReceipt.open, /receipts show 0 of its 1 task completed/)
})

test('verify: a bundle of another requester, or with a share twice, is refuted', async () => {
  await using job = await aPaidJob()
  const foreign = await job.check((bundle) => (bundle.requester = `0x${'77'.repeat(20)}`))
  assert.equal(foreign.exit, REFUTED)
  assert.match(foreign.refuted, /not of the bundle’s requester/)
  const twice = await job.check(({ shares }) => shares.push(...structuredClone(shares)))
  assert.equal(twice.exit, REFUTED)
  assert.match(twice.refuted, /twice/)
})

test('verify: shares of another offer are not proven to be of this job; more tasks are not done', async () => {
  await using job = await aPaidJob()
  const other = await job.check((bundle) => (bundle.job = `0x${'12'.repeat(32)}`))
  assert.match(other.open, /made for a later offer/)
  const more = await job.check((bundle) => (bundle.tasks = 2))
  assert.deepEqual([more.exit, more.answer.state], [NOT_PROVEN, 'open'])
  assert.match(more.open, /receipts show 1 of its 2 tasks completed/)
})

test('verify: a channel that was closed after a claim still proves the payment', async () => {
  await using job = await aPaidJob()
  await job.claim()
  await job.close()
  await job.it.requester.channels.reconcile(job.channel, new AbortController().signal)
  assert.deepEqual(job.it.requester.channels.all(), [])
  const fresh = await job.freshBundle()
  assert.equal(fresh.channels[0]?.voucher, job.bundle.channels[0]?.voucher)
  const { exit, proven } = await job.verify(job.file, '--rpc', 'http://x', '--escrow', fresh.escrow)
  assert.equal(exit, PROVEN)
  assert.match(proven, /paid on chain. The claim in block/)
  assert.match(proven, /closed in block \d+ after the notice that 0x/)
})

test('verify: a promise that nobody claimed before the close is no payment', async () => {
  await using job = await aPaidJob()
  await job.close()
  const { exit, answer, open } = await job.check()
  assert.deepEqual([exit, answer.payment], [NOT_PROVEN, 'open'])
  assert.match(open, /nobody can claim the rest/)
})

test('verify: without --json every section has its heading, and the answer comes first', async () => {
  await using job = await aPaidJob()
  const from = job.hive.stdout.text.length
  await job.hive.run(
    'verify',
    job.file,
    '--rpc',
    'http://user:key@node.example:1/k',
    '--escrow',
    job.bundle.escrow,
  )
  const text = job.hive.stdout.text.slice(from)
  assert.match(text, /^funding  proven\npayment  proven\nstate    proven\n/)
  const heads = [
    /\nPROVEN by signatures/,
    /\nPROVEN by the chain, as told by node\.example:1/,
    /\nNOT PROVEN\n/,
  ]
  assert.deepEqual(
    heads.map((head) => head.test(text)),
    [true, true, true],
  )
  assert.doesNotMatch(text, /key|REFUTED/)
})

test('verify: a bundle with mistakes is refused with all of them', async () => {
  await using job = await aPaidJob()
  const run = async (...line: string[]) => job.hive.run('verify', ...line)
  await writeFile(job.file, JSON.stringify({ ...job.bundle, escrow: 'x', tasks: 0 }))
  assert.equal(await run(job.file, '--rpc', 'http://x'), 1)
  assert.match(job.hive.stderr.text, /INPUT_INVALID[\s\S]*bundle\.escrow[\s\S]*bundle\.tasks/)
  await writeFile(job.file, '{')
  assert.equal(await run(job.file, '--rpc', 'http://x'), 1)
  assert.equal(await run('/no/file', '--rpc', 'http://x', '--escrow', 'x'), 1)
})
