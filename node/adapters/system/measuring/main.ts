/** The measuring process: uses the machine as hard as it can, beside the node and not in it. */
import { argon2 } from 'node:crypto'
import { promisify } from 'node:util'
import { runBenchmark } from './benchmark.ts'
import { Lanes } from './lanes.ts'
import { fillParameters } from './memory-stages.ts'
import type { FromMeasuring, ToMeasuring } from './messages.ts'

const argon2id = promisify(argon2)
let lanes: Lanes | undefined

async function answer(message: ToMeasuring): Promise<FromMeasuring> {
  switch (message.type) {
    case 'benchmark':
      await runBenchmark(message.dir, message.cores, (name, value) => {
        tell({ type: 'figure', name, value })
      })
      return { type: 'done' }
    case 'lanes':
      lanes = await Lanes.open(message.lanes)
      return { type: 'done' }
    case 'chains': {
      const work = message.jobs.map((job) => ({ type: 'chain', job }) as const)
      const states = (await lanes?.run(work)) ?? []
      return { type: 'chains', states: states.filter((each) => each instanceof Uint8Array) }
    }
    case 'fills': {
      const { salts, bytes } = message
      // At the same time, each on a thread of its own: their memory is needed together.
      const tags = salts.map(async (salt) => argon2id('argon2id', fillParameters(salt, bytes)))
      return { type: 'fills', tags: await Promise.all(tags) }
    }
  }
}

function tell(message: FromMeasuring): void {
  process.send?.(message)
}

process.on('message', (message: ToMeasuring) => {
  // What fails ends the process, which is how the node hears of it.
  void answer(message).then(tell)
})
process.once('disconnect', () => process.exit())
