// A process of its own that enters nothing: nsenter has put it into a job's network before it starts. It connects to
// ports of the loopback there, hands each connection to the node over IPC, and ends when the node lets go of it.
import { readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'

/** How long a program that listens may take to accept, ms; its queue may be full. */
const ACCEPT_TIMEOUT_MS = 8000

const [, , nodeNamespace] = process.argv
const isForeign = readlinkSync('/proc/self/ns/net') !== nodeNamespace
const isLonely = Object.keys(networkInterfaces()).every((name) => name === 'lo')
// wherever somebody else is, nothing is called
if (isForeign && isLonely) {
  process.on('message', ({ id, port }: { readonly id: number; readonly port: number }) => {
    // not read from here: what comes first is for whoever gets the connection
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }).pause()
    const patience = setTimeout(() => socket.destroy(), ACCEPT_TIMEOUT_MS)
    socket.once('connect', () => {
      clearTimeout(patience)
      process.send?.({ id, isOpen: true }, socket)
    })
    socket.once('error', () => {
      clearTimeout(patience)
    })
    socket.once('close', () => {
      if (process.connected) process.send?.({ id, isOpen: false })
    })
  })
  process.once('disconnect', () => process.exit())
  process.send?.({ id: 0, isOpen: false })
}
