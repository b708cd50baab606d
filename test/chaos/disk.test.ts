import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { MiB, second } from '../../node/domain/units.ts'
import { ended, printedSomewhere, submit } from '../e2e/support/jobs.ts'
import { Money } from '../e2e/support/money.ts'
import type { SharedNetwork } from '../e2e/support/shared-network.ts'
import { openSmallDisk, smallDiskMissing, type SmallDisk } from '../support/small-disk.ts'
import { fault } from './support/faults.ts'
import { assertSound } from './support/soundness.ts'
import { wasmMarket } from './support/wasm-market.ts'

/** Room for all that a node keeps in these tests. */
const DISK_BYTES: number = 48 * MiB
/** How long a disk stays full. */
const FULL_MS: number = 6 * second
/** Ends while the disk is full. */
const TASK_MS = '3000'

const disks = new Map<string, SmallDisk>()
const network: SharedNetwork = wasmMarket({
  // one that fails and one that rests after its failure leave somebody to ask
  providers: 3,
  disk: '16MiB',
  change: async (name, initial, dir) => {
    if (smallDiskMissing === false)
      disks.set(name, network.beneath.use(openSmallDisk(dir, DISK_BYTES)))
    return initial
  },
})
const money = new Money(network)
const requester = async () => network.client('requester-1')

for (const role of ['provider', 'requester'])
  fault(
    'disk full',
    `${role}’s, while a job runs, until a while after its end`,
    async () => {
      const args = ['sleep', TASK_MS]
      const id = await submit(await requester(), { args, tasks: 2, attempts: 4 })
      const where = network.nodeAt(await printedSomewhere(await requester(), id)).name
      const disk = disks.get(role === 'provider' ? where : 'requester-1')
      assert.ok(disk)
      await disk.fill()
      await sleep(FULL_MS)
      await disk.empty()
      const job = await ended(await requester(), id)
      assert.equal(job.state, 'settled', JSON.stringify(job.error))
      await assertSound(network, money)
    },
    smallDiskMissing,
  )

fault(
  'disk full',
  'when a job is submitted: it is taken once there is room, or refused',
  async () => {
    const disk = disks.get('requester-1')
    assert.ok(disk)
    await disk.fill()
    const submitting = submit(await requester(), {
      args: ['echo', '0', 'hi'],
      bidsWanted: 1,
    }).catch(() => undefined)
    await sleep(FULL_MS / 2)
    await disk.empty()
    const id = await submitting
    if (id !== undefined) assert.equal((await ended(await requester(), id)).state, 'settled')
    await assertSound(network, money)
  },
  smallDiskMissing,
)

fault(
  'disk full',
  'a provider’s, and it is killed and started again in it',
  async () => {
    const id = await submit(await requester(), { args: ['sleep', TASK_MS], attempts: 4 })
    const where = network.nodeAt(await printedSomewhere(await requester(), id)).name
    const disk = disks.get(where)
    assert.ok(disk)
    await disk.fill()
    await sleep(FULL_MS / 2)
    await network.kill(where)
    await disk.empty()
    await network.restart(where)
    const job = await ended(await requester(), id)
    assert.equal(job.state, 'settled', JSON.stringify([job.error, job.shares]))
    await assertSound(network, money)
  },
  smallDiskMissing,
)
