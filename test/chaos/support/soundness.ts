import assert from 'node:assert/strict'
import type { JobBody, JobSummary } from '../../../node/api/schemas/jobs.ts'
import type { WalletBody, WorkListBody } from '../../../node/api/schemas/money.ts'
import { isFinal } from '../../../node/domain/job-state.ts'
import { LABELS } from '../../../node/adapters/docker/container-settings.ts'
import { dockerMissing, engine } from '../../support/docker-programs.ts'
import { ended } from '../../e2e/support/jobs.ts'
import type { Money } from '../../e2e/support/money.ts'
import { eventually, type SharedNetwork } from '../../e2e/support/shared-network.ts'

const hasDocker = (await dockerMissing()) === false

/**
 * Asserts what must hold after any fault: every job of every requester has ended, with all its results or with a code; each task was paid in one share; all that was promised is claimed, once; nothing stays reserved; the contract owes
 * what it holds; no provider works on, and no container is left. Returns the jobs.
 */
export async function assertSound(
  network: SharedNetwork,
  money: Money,
): Promise<readonly JobBody[]> {
  const requesters = network.nodes.filter(({ role }) => role === 'requester')
  const jobs: JobBody[] = []
  for (const { name } of requesters) {
    const client = await network.client(name)
    const { jobs: listed } = await client.get<{ readonly jobs: JobSummary[] }>('/v1/jobs')
    jobs.push(...(await Promise.all(listed.map(async ({ id }) => ended(client, id)))))
    await money.settled(name)
    await assertNothingReserved(network, name)
  }
  for (const job of jobs) assertEndedOnce(job)
  const paid = jobs.reduce((sum, job) => sum + BigInt(job.paid), 0n)
  const claimed = (await money.claims()).reduce((sum, each) => sum + each.paid, 0n)
  assert.equal(claimed, paid, 'what is claimed on chain is what the jobs cost')
  const { of, fees, liabilities, tokens } = await money.holdings()
  assert.equal(liabilities, tokens, 'the contract owes what it holds')
  const owned = [...of.values()].reduce((sum, each) => sum + each, 0n)
  assert.equal(owned + fees, tokens, 'what it holds is what its accounts and channels have')
  for (const { name, peer, role } of network.nodes) {
    if (role !== 'provider') continue
    await assertAtRest(network, name)
    assert.deepEqual(await containersOf(peer), [], 'no container is left')
  }
  return jobs.toSorted((a, b) => b.createdAt - a.createdAt)
}

/** Asserts that a job ended with all results, each paid for once at most, or says why it did not. */
function assertEndedOnce(job: JobBody): void {
  const shares = job.shares.filter(({ state }) => state === 'settled')
  // a service is paid for what it ran where it was lost, too
  const amount = job.shares.reduce((sum, each) => sum + BigInt(each.amount ?? '0'), 0n)
  assert.equal(BigInt(job.paid), amount)
  const paidTasks = shares.flatMap(({ tasks }) => tasks)
  if (job.state !== 'settled') return assert.match(job.error?.code ?? '', /^[A-Z_]+$/)
  assert.deepEqual(
    paidTasks.toSorted((a, b) => a - b),
    job.results.map((_, index) => index),
    'each task is in one settled share',
  )
  assert.ok(job.results.every((result) => result !== null))
}

/** Asserts that channels hold nothing back for shares that are over. */
async function assertNothingReserved(network: SharedNetwork, name: string): Promise<void> {
  const client = await network.client(name)
  await eventually(async () => {
    const { uncommitted, channels } = await client.get<WalletBody>('/v1/wallet')
    const open = channels.filter(({ status }) => status === 'open')
    const unspent = open.reduce(
      (sum, each) => sum + BigInt(each.deposit) - BigInt(each.promised),
      0n,
    )
    return BigInt(uncommitted) === unspent
  })
}

/** Asserts that a provider works on nothing. */
async function assertAtRest(network: SharedNetwork, name: string): Promise<void> {
  const client = await network.client(name)
  await eventually(async () => {
    const { works } = await client.get<WorkListBody>('/v1/work')
    return works.every(({ state, amount }) => isFinal(state) || amount !== undefined)
  })
}

async function containersOf(peer: string): Promise<readonly string[]> {
  if (!hasDocker) return []
  const label = [`${LABELS.node}=${peer}`, LABELS.task]
  return (await engine.listContainers({ all: true, filters: { label } })).map(({ Id: id }) => id)
}
