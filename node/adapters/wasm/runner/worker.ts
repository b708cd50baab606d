// One worker thread of the runner: runs one guest at a time, told by messages.
import { parentPort, workerData } from 'node:worker_threads'
import { runGuest } from './guest.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { OutputRing } from './output-ring.ts'

const ring = new OutputRing(workerData as SharedArrayBuffer)

function post(message: FromWorker): void {
  parentPort?.postMessage(message)
}

parentPort?.on('message', (message: ToWorker) => {
  post(
    runGuest(message, ring, () => {
      post('output')
    }),
  )
})

post('ready')
