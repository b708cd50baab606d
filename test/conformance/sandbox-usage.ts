import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Sandbox, SandboxTask } from '../../node/ports/sandbox.ts'

/** How long a test waits for figures to come, ms: an engine that is asked for them tells once a second. */
const PATIENCE_MS = 15_000

/** What a task that computes for ever uses is told while it runs, where the sandbox tells it at all, and not afterwards. */
export function usageIsTold(
  on: () => { readonly sandbox: Sandbox; readonly task: SandboxTask },
): void {
  test('what a task uses is told while it runs, and rises; of no other task anything is told', async (t) => {
    const { sandbox, task } = on()
    if (sandbox.usage === undefined) return t.skip('this sandbox does not tell')
    const stop = new AbortController()
    assert.equal(await sandbox.usage(task.id), undefined)
    const running = sandbox.run(task, { signal: stop.signal })
    const used = async (moreThanMs: number): Promise<number> => {
      for (const since = performance.now(); performance.now() - since < PATIENCE_MS;) {
        const use = await sandbox.usage?.(task.id)
        if (use !== undefined && use.cpuMs > moreThanMs && use.memoryBytes > 0) return use.cpuMs
        await delay(20)
      }
      return assert.fail(`no use beyond ${moreThanMs} ms was told`)
    }
    const first = await used(0)
    assert.ok((await used(first)) > first)
    assert.equal(await sandbox.usage(`${task.id} of another`), undefined)
    stop.abort()
    await running
    assert.equal(await sandbox.usage(task.id), undefined)
  })
}
