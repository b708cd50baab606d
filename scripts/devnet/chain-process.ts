/**
 * A local EVM chain in a process of its own: Hardhat's, over JSON-RPC on loopback. Tells its parent
 * the URL and ends with it, however the parent ends.
 */
import { network } from 'hardhat'

const server = await network.createServer('node', '127.0.0.1', 0)
const { port } = await server.listen()
process.once('disconnect', () => {
  void server.close().finally(() => process.exit())
})
// A terminal's Ctrl-C reaches the whole group; the parent decides when the chain ends.
process.on('SIGINT', () => {})
process.send?.({ url: `http://127.0.0.1:${port}` })
