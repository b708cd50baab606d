import { openLibp2pNet } from '../../node/adapters/libp2p/libp2p-net.ts'
import { quietLogger } from './quiet-logger.ts'

/**
 * One node in its own process, told what to do by its parent: {key, dir, bootstrap} in argv[2]. It
 * serves `follow` with a frame and then silence, and gossips what it is sent.
 */
interface Plan {
  readonly key: string
  readonly dir: string
  readonly bootstrap: readonly string[]
}

const { key, dir, bootstrap } = JSON.parse(process.argv[2] ?? '') as Plan
const net = await openLibp2pNet(
  { logger: quietLogger(), privateKey: Buffer.from(key, 'hex'), datastoreDir: dir },
  { network: 'test', allowPrivateAddresses: true, bootstrap },
)
const topic = '/computehive/test/offers/wasm'
net.gossip.subscribe(
  topic,
  { maxBytes: 1024, perMinute: 1000, signal: new AbortController().signal },
  () => 'accept',
)
net.requests.answerStream('follow', async function* (_from, request, { signal }) {
  yield request
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
})
process.on('message', (text: string) => {
  net.gossip.publish(topic, Buffer.from(text)).then(
    ({ length: heard }) => process.send?.({ heard }),
    () => process.send?.({ heard: -1 }),
  )
})
process.on('SIGTERM', () => {
  void net[Symbol.asyncDispose]().then(() => process.exit(0))
})
process.send?.({ peer: net.peer, address: net.directory.addresses()[0] })
