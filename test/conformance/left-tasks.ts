import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Sandbox, SandboxResult, SandboxTask } from '../../node/ports/sandbox.ts'
import { aTask, SOON_MS, textOf, type Programs } from './sandbox.ts'

/** What a suite needs of one adapter whose tasks outlive the node. */
export interface LeavingSandbox {
  readonly programs: Programs
  /**
   * Runs a task of the program `sleep` in a sandbox that is gone, as by SIGKILL, once the task has printed. Resolves
   * with the sandbox that is opened after it.
   */
  readonly leave: (task: SandboxTask) => Promise<Sandbox>
  /** What the sandboxes still have on the machine. */
  readonly leftovers: () => Promise<readonly string[]>
}

/** Every promise of the port's `left`, asked of one adapter. */
export function leftTasksAreTakenUp(name: string, open: () => Promise<LeavingSandbox>): void {
  describe(`${name} after a crash of the node`, () => {
    const never = new AbortController().signal

    test('a task that runs on is taken up: all of its output, its rest, its exit code, counted once', async () => {
      const { programs, leave, leftovers } = await open()
      const task = aTask(programs.sleep, ['4000'])
      await using sandbox = await leave(task)
      assert.deepEqual([...(sandbox.left?.ids ?? [])], [task.id])
      const heard: string[] = []
      const result = await sandbox.left?.resume(task, {
        signal: never,
        onOutput: (stream, chunk) => heard.push(`${stream}:${textOf(chunk)}`),
      })
      assert.deepEqual([result?.reason, result?.exitCode], ['exit', 0])
      assert.equal(textOf(result?.stdout ?? new Uint8Array()), 'before\nafter\n')
      assert.deepEqual(heard, ['1:before\n', '1:after\n'])
      assert.deepEqual(result?.files, [])
      // an engine may note the start a moment after the program has begun
      assert.ok((result?.usage.wallMs ?? 0) >= 3900, `wall ${result?.usage.wallMs} ms`)
      assert.ok((result?.usage.peakMemoryBytes ?? 0) > 0)
      assert.deepEqual([...(sandbox.left?.ids ?? [])], [])
      assert.equal(await sandbox.left?.resume(task, { signal: never }), undefined)
      assert.deepEqual(await leftovers(), [])
    })

    test('the time that went by unseen counts towards its limit', async () => {
      const { programs, leave, leftovers } = await open()
      const task = aTask(programs.sleep, ['60000'], { limits: { wallMs: 2000 } })
      await using sandbox = await leave(task)
      const began = performance.now()
      const result = await sandbox.left?.resume(task, { signal: never })
      assert.ok(performance.now() - began < 5000)
      assert.equal(result?.reason, 'timeout')
      assert.equal(textOf(result?.stdout ?? new Uint8Array()), 'before\n')
      assert.deepEqual(await leftovers(), [])
    })

    test('what was taken up is cancelled long before it would end', async () => {
      const { programs, leave, leftovers } = await open()
      const task = aTask(programs.sleep, ['60000'])
      await using sandbox = await leave(task)
      const stop = new AbortController()
      let cancelledAt = 0
      const result: SandboxResult | undefined = await sandbox.left?.resume(task, {
        signal: stop.signal,
        onOutput: () => {
          cancelledAt = performance.now()
          stop.abort()
        },
      })
      assert.ok(performance.now() - cancelledAt < SOON_MS)
      assert.equal(result?.reason, 'killed')
      assert.deepEqual(await leftovers(), [])
    })

    test('what nobody wants any more is ended and cannot be resumed', async () => {
      const { programs, leave, leftovers } = await open()
      const task = aTask(programs.sleep, ['60000'])
      await using sandbox = await leave(task)
      await sandbox.left?.end('another')
      await sandbox.left?.end(task.id)
      assert.deepEqual([...(sandbox.left?.ids ?? [])], [])
      assert.equal(await sandbox.left?.resume(task, { signal: never }), undefined)
      assert.deepEqual(await leftovers(), [])
    })

    test('what is not taken up ends with the sandbox', async () => {
      const { programs, leave, leftovers } = await open()
      const sandbox = await leave(aTask(programs.sleep, ['60000']))
      await sandbox[Symbol.asyncDispose]()
      assert.deepEqual(await leftovers(), [])
    })
  })
}
