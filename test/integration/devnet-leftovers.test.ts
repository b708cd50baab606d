import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, before, test } from 'node:test'
import { minute, second } from '../../node/domain/units.ts'
import { COMPILE_CACHE } from '../../scripts/devnet/child.ts'
import { familyOf, survivors } from '../support/processes.ts'

const DEMO = fileURLToPath(new URL('../../scripts/demo/main.ts', import.meta.url))
/** A node whose parent is gone closes its stores and sandboxes first. */
const LEAVE_WITHIN_MS = 15 * second
const SAY_WITHIN_MS = 2 * minute

let home = ''
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'hive-leftovers-'))
})
after(async () => {
  await rm(home, { recursive: true })
})

interface Demo {
  readonly child: ChildProcess
  readonly pid: number
  /** Its temporary files. */
  readonly dir: string
}

/** Starts the demo as a terminal does, in a process group of its own, and waits until it says `line`. */
async function demoUpTo(line: string): Promise<Demo> {
  const dir = await mkdtemp(join(home, 'tmp-'))
  const child = spawn(process.execPath, [DEMO], {
    detached: true,
    // oxlint-disable-next-line node/no-process-env -- the child needs the path; its files go where we look
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env, TMPDIR: dir },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { pid } = child
  if (pid === undefined) throw new Error('the demo could not be started')
  let said = ''
  const signal = AbortSignal.timeout(SAY_WITHIN_MS)
  const heard = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes(line)) resolve()
    })
    child.once('exit', (code) => reject(new Error(`the demo ended with ${code} before: ${said}`)))
    signal.addEventListener('abort', () => reject(new Error(`it never said ${line}: ${said}`)))
  })
  try {
    await heard
  } catch (error) {
    process.kill(-pid, 'SIGKILL')
    throw error
  }
  return { child, pid, dir }
}

for (const line of ['starting a chain', 'requester-1 is up', 'A published program']) {
  test(`Ctrl-C when the demo says “${line}”: exit 130, no process and no file is left`, async () => {
    const { child, pid, dir } = await demoUpTo(line)
    const family = await familyOf(pid)
    const exited = once(child, 'exit')
    process.kill(-pid, 'SIGINT')
    assert.deepEqual(await exited, [130, null])
    assert.deepEqual(await survivors(family, AbortSignal.timeout(LEAVE_WITHIN_MS)), [])
    assert.deepEqual(await readdir(dir), [])
  })
}

test('a local network whose parent is killed ends by itself: chain, nodes and sandboxes', async () => {
  const { child, pid } = await demoUpTo('know each other')
  const family = await familyOf(pid)
  const commands = family.map(({ command }) => command).join('\n')
  for (const part of ['chain-process', 'node-process', 'runner/main'])
    assert.ok(commands.includes(part), `${part} is among ${commands}`)
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  assert.deepEqual(await survivors(family, AbortSignal.timeout(LEAVE_WITHIN_MS)), [])
})
