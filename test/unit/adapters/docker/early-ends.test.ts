import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type Docker from 'dockerode'
import { execInContainer } from '../../../../node/adapters/docker/container-exec.ts'
import { unlessGone } from '../../../../node/adapters/docker/engine.ts'

const { signal } = new AbortController()

/** A container whose programs have ended with `code`, and no process, before the engine is asked. */
function containerOf(code: number): Docker.Container {
  const ended = {
    start: async () => new PassThrough().end(),
    inspect: async () => ({ Running: false, Pid: 0, ExitCode: code }),
  }
  return { id: 'one', exec: async () => ended } as unknown as Docker.Container
}

const run = async (code: number) =>
  execInContainer(containerOf(code), { command: ['true'], env: {} }, { signal, taskEnd: signal })

/** A refusal in the shape that the client throws. */
function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode, json: { message } })
}

for (const code of [0, 3])
  test(`a program inside that ended with ${code} before the engine was asked has run`, async () => {
    await using session = await run(code)
    assert.equal(await session.exitCode(), code)
  })

for (const code of [126, 127])
  test(`a program inside that the engine ends with ${code} could not be started`, async () => {
    await assert.rejects(run(code), { code: 'EXEC_FAILED' })
  })

test('a kill of what ended by itself meanwhile is done, whichever engine says so', async () => {
  for (const error of [
    refusal(409, 'container one is not running'),
    refusal(
      500,
      'can only kill running containers. one is in state stopped: container state improper',
    ),
  ])
    await unlessGone(Promise.reject(error))
  await assert.rejects(unlessGone(Promise.reject(refusal(500, 'no space left on device'))), {
    code: 'SANDBOX_UNAVAILABLE',
  })
})
