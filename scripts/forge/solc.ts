#!/usr/bin/env node
/**
 * The locked compiler behind the two calls that forge makes of a `solc` binary: `--version`, and
 * `--standard-json` from stdin to stdout. Nothing is downloaded.
 */
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'

interface SolcJs {
  version(): string
  compile(input: string): string
}

const solc = createRequire(import.meta.url)('solc') as SolcJs

if (process.argv.includes('--version')) {
  process.stdout.write(
    `solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`,
  )
} else if (process.argv.includes('--standard-json')) {
  process.stdout.write(solc.compile(await text(process.stdin)))
} else {
  process.stderr.write(`solc.ts: cannot do ${process.argv.slice(2).join(' ')}\n`)
  process.exitCode = 1
}
