/**
 * A node in a process of its own: the same that `hive up` runs, told its folder and passphrase by
 * its parent. Tells the parent when it serves, and ends with it, however the parent ends.
 */
import { readFile } from 'node:fs/promises'
import { createLogger } from '../../node/adapters/system/line-logger.ts'
import { loadConfig } from '../../node/config/config-file.ts'
import { openIdentity } from '../../node/node-folder.ts'

const [dataDir = '', passphraseFile = ''] = process.argv.slice(2)
const stop = new AbortController()
const now = new AbortController()
process.once('disconnect', () => {
  now.abort()
  stop.abort()
})
process.on('SIGTERM', () => (stop.signal.aborted ? now : stop).abort())
// A terminal's Ctrl-C reaches the whole group; the parent decides when its nodes end.
process.on('SIGINT', () => {})

const config = await loadConfig(dataDir, {})
// As in `hive up`: the keystore is opened on another thread while the node's code loads on this one.
const passphrase = (await readFile(passphraseFile, 'utf8')).trim()
const [{ privateKey }, { openPeer }] = await Promise.all([
  openIdentity(dataDir, passphrase),
  import('../../node/peer.ts'),
])
const logger = createLogger({ level: config.log.level, format: 'text' })
const peer = await openPeer({ dataDir, config, privateKey, logger, signal: stop.signal })
process.send?.({
  peer: peer.peer,
  address: peer.address,
  addresses: peer.addresses,
  kinds: peer.kinds,
})
await new Promise<void>((resolve) => {
  if (stop.signal.aborted) resolve()
  stop.signal.addEventListener('abort', () => resolve(), { once: true })
})
await peer.drain(now.signal)
await peer[Symbol.asyncDispose]()
// oxlint-disable-next-line unicorn/no-process-exit -- its parent has waited long enough, whatever a library keeps open
process.exit()
