/** `hive`: gives the command line its real parts. Heavy parts load when a command needs them. */
import { readFileSync } from 'node:fs'
import { createProgram } from './cli/program.ts'
import type { CliParts } from './cli/parts.ts'
import { forbidCrashReports } from './crash-reports.ts'
import { readEnvironment, readPassphraseSetting, readVariable } from './config/env.ts'
import { askSecret, onInterrupt, ownTerminal } from './terminal.ts'

forbidCrashReports()

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}

const parts: CliParts = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  terminal: () => ownTerminal(readVariable('TERM')),
  env: readEnvironment(),
  cwd: process.cwd(),
  fetch: globalThis.fetch,
  now: () => Date.now(),
  version: manifest.version,
  onInterrupt,
  passphraseSetting: async () => readPassphraseSetting(),
  secretVariable: (name) => readVariable(name),
  readPassphrase: askSecret,

  async initNode({ dataDir, passphrase, initial }) {
    const { createNodeFolder } = await import('./node-folder.ts')
    const { address, peer } = await createNodeFolder(dataDir, passphrase, initial)
    return { address, peer }
  },

  async upNode({ dataDir, config, passphrase, signal, onReady }) {
    const { openIdentity } = await import('./node-folder.ts')
    // The keystore is opened on another thread; meanwhile the node's code loads on this one.
    const [{ privateKey }, { openPeer }, { createLogger }] = await Promise.all([
      openIdentity(dataDir, passphrase),
      import('./peer.ts'),
      import('./adapters/system/line-logger.ts'),
    ])
    const logger = createLogger(config.log)
    await using peer = await openPeer({ dataDir, config, privateKey, logger, signal })
    const { address, addresses, kinds } = peer
    onReady({ peer: peer.peer, address, addresses, kinds, apiPort: peer.api.port })
    await aborted(signal)
    // Asked once, it lets work under way end; asked again, it stops at once.
    const now = new AbortController()
    const forget = onInterrupt(() => now.abort())
    await peer.drain(now.signal)
    forget()
  },

  async openEscrow({ rpc, address, signal, ...chain }) {
    const { openChainEscrow } = await import('./adapters/chain/chain-escrow.ts')
    const { systemClock } = await import('./adapters/system/system-clock.ts')
    return openChainEscrow({ clock: systemClock }, { rpc, address, ...chain }, signal)
  },

  async readImage(request) {
    const { readImageSource } = await import('./image-source.ts')
    return readImageSource(request)
  },

  async devnet({ dir, providers, signal, onLine }) {
    const { startLocalNetwork } = await import('../scripts/devnet/local-network.ts')
    const { describeNetwork } = await import('../scripts/devnet/describe.ts')
    const options = { dir, providers, requesters: 1, signal, onStep: onLine }
    await using network = await startLocalNetwork(options)
    for (const line of describeNetwork(network)) onLine(line)
    await aborted(signal)
  },
}

process.exitCode = await createProgram(parts).run(process.argv.slice(2))

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  )
}
