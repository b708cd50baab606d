import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type HeliaBlobs,
  type HeliaOptions,
  openHeliaBlobs,
} from '../../node/adapters/ipfs/helia-blobs.ts'
import type { Libp2pNet } from '../../node/adapters/libp2p/libp2p-net.ts'
import { quietLogger } from './quiet-logger.ts'
import { openRealNetwork } from './real-network.ts'

/** A real node with its content. */
export interface ContentNode {
  readonly net: Libp2pNet
  readonly blobs: HeliaBlobs
  readonly blocksDir: string
}

/** Some real nodes with content, connected each with each. */
export async function openRealBlobs(
  count: number,
  options: Omit<HeliaOptions, 'blocksDir'> = { stallMs: 1000 },
): Promise<AsyncDisposable & { readonly nodes: readonly ContentNode[] }> {
  await using stack = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'hive-blobs-'))
  stack.defer(() => rm(root, { recursive: true }))
  const network = stack.use(await openRealNetwork({ nodes: count }))
  const nodes: ContentNode[] = []
  for (const net of network.nodes) {
    const blocksDir = join(root, net.peer)
    const parts = { libp2p: net.libp2p, logger: quietLogger() }
    const blobs = stack.use(await openHeliaBlobs(parts, { ...options, blocksDir }))
    nodes.push({ net, blobs, blocksDir })
  }
  const resources = stack.move()
  return { nodes, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
