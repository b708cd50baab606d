/** One thread of the measuring process: burns fuel or hashes, whichever it is told. */
import { parentPort } from 'node:worker_threads'
import { runChain } from './chain.ts'
import { fuelMeter } from './fuel.ts'
import type { FromLane, ToLane } from './messages.ts'

let meter: ReturnType<typeof fuelMeter> | undefined

parentPort?.on('message', (message: ToLane) => {
  if (message.type === 'chain') tell(runChain(message.job))
  else tell((meter ??= fuelMeter())(message.ms))
})
tell('ready')

function tell(message: FromLane): void {
  parentPort?.postMessage(message)
}
