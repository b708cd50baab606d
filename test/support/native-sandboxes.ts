import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  openNativeSandbox,
  type NativeKeeper,
  type NativeSandboxOptions,
} from '../../node/adapters/native/native-sandbox.ts'
import type { Egress } from '../../node/adapters/egress/egress-gate.ts'
import type { Sandbox } from '../../node/ports/sandbox.ts'
import { quietLogger, type LoggedLine } from './quiet-logger.ts'

/** An open sandbox of a test, and where it keeps its files. */
export interface TestNative {
  readonly sandbox: Sandbox
  readonly workDir: string
  readonly nodeId: string
}

let opened = 0

/** A native sandbox with a folder and control groups of its own. */
export async function openTestNative(
  keeper: NativeKeeper,
  more: Partial<NativeSandboxOptions> = {},
  egress?: Egress,
): Promise<TestNative> {
  const found = await tryNative(keeper, more, egress)
  if (typeof found === 'string') throw new Error(found)
  return found
}

/** Why native tests with `keeper` cannot run here, or `false`. */
export async function nativeMissing(keeper: NativeKeeper): Promise<string | false> {
  if (!existsSync('/bin/busybox')) return 'skipped: /bin/busybox (busybox-static) is missing'
  const found = await tryNative(keeper, {})
  if (typeof found === 'string') return `skipped: ${found}`
  await found.sandbox[Symbol.asyncDispose]()
  return false
}

async function tryNative(
  keeper: NativeKeeper,
  more: Partial<NativeSandboxOptions>,
  egress?: Egress,
): Promise<TestNative | string> {
  const lines: LoggedLine[] = []
  const nodeId = `native-test-${process.pid}-${++opened}`
  const workDir = mkdtempSync(join(tmpdir(), 'hive-native-'))
  const options = { nodeId, workDir, keeper, ...more }
  const sandbox = await openNativeSandbox(
    { logger: quietLogger(lines), ...(egress && { egress }) },
    options,
  )
  if (sandbox !== undefined) return { sandbox, ...options }
  rmSync(workDir, { recursive: true, force: true })
  return lines.map(({ data }) => String(data['fault'] ?? data['said'])).join('; ')
}

/** What a disposed sandbox still has: files, processes that hold its folder, and control groups. */
export async function nativeLeftovers({
  workDir,
}: Pick<TestNative, 'workDir'>): Promise<readonly string[]> {
  const left: string[] = existsSync(workDir) ? [workDir] : []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    const mounts = await readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => '')
    if (words.includes(workDir) || mounts.includes(' /mnt/root ')) left.push(words)
  }
  return left
}
