import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHeliaBlobs } from '../../node/adapters/ipfs/helia-blobs.ts'
import { blobsKeepTheirPromises } from '../conformance/blobs.ts'
import { quietLogger } from '../support/quiet-logger.ts'
import { openRealNetwork } from '../support/real-network.ts'

blobsKeepTheirPromises('helia blobs', async () => {
  await using stack = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'hive-blobs-'))
  stack.defer(() => rm(root, { recursive: true }))
  const network = stack.use(await openRealNetwork({ nodes: 2 }))
  const opened = network.nodes.map(({ libp2p, peer }) =>
    openHeliaBlobs(
      { libp2p, logger: quietLogger() },
      { blocksDir: join(root, peer), stallMs: 1000 },
    ),
  )
  const [here, there] = (await Promise.all(opened)).map((blobs) => stack.use(blobs))
  const therePeer = network.nodes[1]?.peer
  if (here === undefined || there === undefined || therePeer === undefined) throw new RangeError()
  const resources = stack.move()
  return { here, there, therePeer, [Symbol.asyncDispose]: () => resources.disposeAsync() }
})
