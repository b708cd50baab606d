import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aTask, textFile, textOf } from '../conformance/sandbox.ts'
import { leftTasksAreTakenUp } from '../conformance/left-tasks.ts'
import {
  dockerMissing,
  engine,
  leftoversOf,
  openTestSandbox,
  PROGRAMS,
  shell,
} from '../support/docker-programs.ts'
import { killDuring } from '../support/docker-victim.ts'
import type { SandboxTask } from '../../node/ports/sandbox.ts'

const never = { signal: new AbortController().signal }
let nodes = 0

/** A node that was killed during the task, opened again. */
async function reopened(task: SandboxTask, runtime = 'runc', before = async () => {}) {
  const nodeId = `killed-${process.pid}-${++nodes}`
  await killDuring(runtime, nodeId, task)
  await before()
  const { sandbox } = await openTestSandbox(runtime, { nodeId })
  return { sandbox, nodeId, ids: [...(sandbox.left?.ids ?? [])] }
}

for (const runtime of ['runc', 'runsc']) {
  const missing = await dockerMissing(runtime)
  if (missing !== false) {
    test(`docker ${runtime} after a crash of the node`, { skip: missing }, () => undefined)
    continue
  }
  leftTasksAreTakenUp(`docker ${runtime}`, async () => {
    let node = ''
    return {
      programs: PROGRAMS,
      leave: async (task) => {
        const { sandbox, nodeId } = await reopened(task, runtime)
        node = nodeId
        return sandbox
      },
      leftovers: async () => leftoversOf(node),
    }
  })
}

describe('docker tasks after a crash of the node', { skip: await dockerMissing() }, () => {
  test('outputs are collected, inputs are not, and use is counted from the first start on', async () => {
    const command =
      'n=0; while [ $n -lt 30000 ]; do n=$((n+1)); done; echo spun; echo kept > /out/a; usleep 3000000; echo more >> /out/a; exit 3'
    const task = aTask(shell(command), [])
    const { sandbox } = await reopened(task)
    const result = await sandbox.left?.resume(task, never)
    assert.deepEqual([result?.reason, result?.exitCode], ['exit', 3])
    assert.deepEqual(
      result?.files.map((file) => [file.path, textOf(file.bytes)]),
      [['/out/a', 'kept\nmore\n']],
    )
    assert.ok((result?.usage.cpuMs ?? 0) > 40, `cpu ${result?.usage.cpuMs} ms`)
    await sandbox[Symbol.asyncDispose]()
  })

  test('megabytes of lines and bytes that are no text come back as they were', async () => {
    const command =
      'yes "0123456789 abcdefghijklmnopqrstuvwxyz" | head -c 3000000; printf "\\001\\377\\000\\r\\n\\n no newline"; usleep 3000000; printf "\\nend"'
    const task = aTask(shell(command), [], { limits: { outputBytes: 4_000_000 } })
    const { sandbox } = await reopened(task)
    const result = await sandbox.left?.resume(task, never)
    const line = Buffer.from('0123456789 abcdefghijklmnopqrstuvwxyz\n')
    const expected = Buffer.concat([
      Buffer.alloc(3_000_000, line),
      Buffer.from([1, 255, 0]),
      Buffer.from('\r\n\n no newline\nend'),
    ])
    assert.equal(Buffer.compare(Buffer.from(result?.stdout ?? []), expected), 0)
    await sandbox[Symbol.asyncDispose]()
  })

  test('a secret file is still there for a task that runs on, and goes with it', async () => {
    const command = 'echo up; usleep 3000000; cat /run/secrets/key'
    const secrets = { env: {}, files: [textFile('/run/secrets/key', 'still here')] }
    const task = aTask(shell(command), [], { secrets })
    const { sandbox, nodeId } = await reopened(task)
    const result = await sandbox.left?.resume(task, never)
    assert.equal(textOf(result?.stdout ?? new Uint8Array()), 'up\nstill here')
    await sandbox[Symbol.asyncDispose]()
    assert.deepEqual(await leftoversOf(nodeId), [])
  })

  test('output over the cap ends a task that was taken up', async () => {
    const task = aTask(shell('echo 1; usleep 2500000; exec yes 0123456789'), [], {
      limits: { outputBytes: 1000 },
    })
    const { sandbox } = await reopened(task)
    const result = await sandbox.left?.resume(task, never)
    assert.deepEqual([result?.reason, result?.stdout.length], ['output-limit', 1000])
    await sandbox[Symbol.asyncDispose]()
  })

  test('a line too long for the engine’s log: not resumed, for its output could be wrong', async () => {
    const command = 'head -c 40000 /dev/zero; echo; echo; sleep 600'
    const task = aTask(shell(command), [], { limits: { wallMs: 60_000 } })
    const { sandbox, nodeId, ids } = await reopened(task)
    assert.deepEqual(ids, [task.id])
    assert.equal(await sandbox.left?.resume(task, never), undefined)
    assert.deepEqual(await leftoversOf(nodeId), [])
    await sandbox[Symbol.asyncDispose]()
  })

  test('a task whose stdin came through the node that died is not resumed but swept', async () => {
    const task = aTask(shell('echo 1; exec cat'), [], { stdin: Buffer.from('some') })
    const { sandbox, nodeId, ids } = await reopened(task)
    assert.deepEqual([ids, await leftoversOf(nodeId)], [[], []])
    await sandbox[Symbol.asyncDispose]()
  })

  test('a task that ended while the node was away took its outputs with it: swept', async () => {
    const task = aTask(shell('echo 1; echo a > /out/a'), [])
    const { sandbox, nodeId, ids } = await reopened(task, 'runc', async () => {
      await ended(task)
    })
    assert.deepEqual([ids, await leftoversOf(nodeId)], [[], []])
    await sandbox[Symbol.asyncDispose]()
  })

  test('a task that ends between the opening and its resumption is not resumed', async () => {
    const task = aTask(shell('echo 1; sleep 600'), [], { limits: { wallMs: 60_000 } })
    const { sandbox, nodeId } = await reopened(task)
    const [id] = await containersOf(task)
    await engine.getContainer(id ?? '').kill()
    await ended(task)
    assert.equal(await sandbox.left?.resume(task, never), undefined)
    assert.deepEqual(await leftoversOf(nodeId), [])
    await sandbox[Symbol.asyncDispose]()
  })
})

async function containersOf(task: SandboxTask): Promise<readonly string[]> {
  const filters = { label: [`computehive.task=${task.id}`], status: ['running'] }
  return (await engine.listContainers({ filters })).map(({ Id: id }) => id)
}

async function ended(task: SandboxTask): Promise<void> {
  while ((await containersOf(task)).length > 0) await new Promise((next) => setTimeout(next, 50))
}
