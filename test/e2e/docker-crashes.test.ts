import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobEventBody } from '../../node/api/schemas/jobs.ts'
import type { MomentBody } from '../../node/api/schemas/metrics.ts'
import type { WorkListBody } from '../../node/api/schemas/money.ts'
import type { NodeClient } from '../../node/cli/node-client.ts'
import { buildBusyboxImage } from '../../scripts/images/busybox.ts'
import { LABELS } from '../../node/adapters/docker/container-settings.ts'
import { dockerMissing, engine, leftoversOf } from '../support/docker-programs.ts'
import { allResults, ended, stdoutOf, submit } from './support/jobs.ts'
import { Money } from './support/money.ts'
import { eventually, patience, SharedNetwork } from './support/shared-network.ts'

const skip = await dockerMissing()
/** Prints, and prints again once it is told to. */
const COMMAND =
  'trap "go=1" USR1; echo kept > /out/kept; echo before; until [ "$go" ]; do usleep 100000; done; echo after'
const SAID = 'before\nafter\n'

const network = new SharedNetwork({
  requesters: 1,
  providers: 1,
  provider: () => ({
    kinds: ['docker'],
    // What runs in a container that was started beforehand is begun again after a restart; here it is to go on.
    docker: { warm: 0 },
    resources: { cpu: 1, memory: '1GiB', disk: '1GiB' },
  }),
  lostAfter: '60s',
})
const money = new Money(network)
const requester = () => network.client('requester-1')

/** A job of two tasks that run side by side, and what is heard of each task's output until it is over. */
async function started(client: NodeClient) {
  const program = await buildBusyboxImage()
  const id = await submit(client, {
    kind: 'docker',
    program,
    args: ['sh', '-c', COMMAND],
    tasks: 2,
  })
  const heard = ['', '']
  const both = Promise.withResolvers<void>()
  const listening = (async () => {
    for await (const event of client.events<JobEventBody>(`/v1/jobs/${id}/events`, {
      signal: patience(),
    })) {
      if (event.type !== 'log') continue
      heard[event.index] += Buffer.from(event.data, 'base64').toString()
      if (heard.every((said) => said !== '')) both.resolve()
    }
  })()
  // The requester may be killed too, which cuts this short; before both have printed that must not be.
  await Promise.race([both.promise, listening])
  assert.deepEqual(heard, ['before\n', 'before\n'])
  return { id, heard, listening: listening.catch(() => undefined) }
}

/** Asserts that the job settled in one share with whole results, that it was paid once, and that nothing is left. */
async function settledOnce(id: string, paidBefore: bigint): Promise<void> {
  const client = await requester()
  const job = await ended(client, id)
  assert.equal(job.state, 'settled', JSON.stringify(job.error))
  assert.deepEqual(
    job.shares.map(({ state, tasks, amount }) => [state, tasks, amount]),
    [['settled', [0, 1], job.paid]],
  )
  for (const { index, files } of allResults(job)) {
    assert.equal(await stdoutOf(client, job, index), SAID)
    assert.deepEqual(
      files.map(({ path }) => path),
      ['/out/kept'],
    )
  }
  await money.settled()
  assert.equal((await paid()) - paidBefore, BigInt(job.paid))
  assert.deepEqual(await leftoversOf(network.node('provider-1').peer), [])
}

/** The containers in which the provider's tasks run. */
async function running(): Promise<readonly string[]> {
  const label = [`${LABELS.node}=${network.node('provider-1').peer}`, LABELS.task]
  const found = await engine.listContainers({ filters: { label } })
  return found
    .filter(({ Command: command }) => command.includes('echo before'))
    .map(({ Id: id }) => id)
    .sort()
}

/** Those of a job's two tasks; the engine can say so a moment after both have printed. */
async function bothRunning(): Promise<readonly string[]> {
  await eventually(async () => (await running()).length === 2)
  return running()
}

/** Those in which tasks ran before their node was killed, once it has taken up both: one that ends before is run again. */
async function takenUp(): Promise<readonly string[]> {
  const client = await network.client('provider-1')
  await eventually(async () => {
    const { tasks } = await client.get<MomentBody>('/v1/metrics')
    return tasks.filter(({ use }) => use !== undefined).length === 2
  })
  return running()
}

/** Lets the tasks in these containers end. */
async function tellOn(containers: readonly string[]): Promise<void> {
  await Promise.all(containers.map((id) => engine.getContainer(id).kill({ signal: 'SIGUSR1' })))
}

async function paid(): Promise<bigint> {
  return (await money.claims()).reduce((sum, each) => sum + each.paid, 0n)
}

test(
  'a provider killed during a Docker job and started again: the job goes on, heard and paid once',
  { skip },
  async () => {
    const before = await paid()
    const { id, heard, listening } = await started(await requester())
    const containers = await bothRunning()
    await network.kill('provider-1')
    await network.restart('provider-1')
    assert.deepEqual(await takenUp(), containers)
    await tellOn(containers)
    await settledOnce(id, before)
    await listening
    assert.deepEqual(heard, [SAID, SAID])
    const { works } = await (await network.client('provider-1')).get<WorkListBody>('/v1/work')
    assert.deepEqual(
      works.map(({ state }) => state),
      ['settled'],
    )
  },
)

test(
  'both sides killed at once and started again: the job goes on, paid once',
  { skip },
  async () => {
    const before = await paid()
    const { id } = await started(await requester())
    const containers = await bothRunning()
    await Promise.all([network.kill('provider-1'), network.kill('requester-1')])
    await network.restart('requester-1')
    await network.restart('provider-1')
    assert.deepEqual(await takenUp(), containers)
    await tellOn(containers)
    await settledOnce(id, before)
  },
)
