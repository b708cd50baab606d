// A process of its own that enters nothing: nsenter has put it into a job's network before it starts. It listens there,
// hands the socket to the node over IPC, and ends.
import { readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { PROXY_HOST, PROXY_PORT } from './proxy-environment.ts'

const [, , nodeNamespace] = process.argv
const isForeign = readlinkSync('/proc/self/ns/net') !== nodeNamespace
const isLonely = Object.keys(networkInterfaces()).every((name) => name === 'lo')
// wherever somebody else is, a proxy must not be
if (isForeign && isLonely) {
  const server = createServer()
  server.listen(PROXY_PORT, PROXY_HOST, () => {
    process.send?.('listening', server)
  })
  process.once('disconnect', () => {
    server.close()
  })
}
