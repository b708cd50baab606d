import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../../node/domain/errors.ts'
import type { Attach, ExecSession, PrintedPiece } from '../../../node/ports/attach.ts'
import type { Duplex } from '../../../node/ports/conversations.ts'
import type { Sandbox } from '../../../node/ports/sandbox.ts'
import {
  decodeExecOutput,
  encodeExecInput,
  execRequest,
  forwardRequest,
} from '../../../node/protocol/attach.ts'
import { TaskRegister } from '../../../node/services/monitoring/task-register.ts'
import { MAX_ATTACHED_PROGRAMS } from '../../../node/services/provider/attach-budget.ts'
import { AttachDesk } from '../../../node/services/provider/attach-desk.ts'
import { taskId } from '../../../node/services/provider/records.ts'
import { WorkBook } from '../../../node/services/provider/work-book.ts'
import { systemClock } from '../../../node/adapters/system/system-clock.ts'
import { createFakeSandbox } from '../../support/fake-sandbox.ts'
import { FakeNetwork } from '../../support/fake-network.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { quietLogger } from '../../support/quiet-logger.ts'

const { signal } = new AbortController()
const share = `0x${'ab'.repeat(32)}` as const
const limits = { cpuMillis: 1, memoryBytes: 1, diskBytes: 1, wallMs: 1, outputBytes: 1 }

/** A way in that gives back what goes in: a program `cat`, and a port that echoes. */
function echo(): Attach {
  const talk = () => {
    const said: Uint8Array[] = []
    let wake = Promise.withResolvers<void>()
    let isOver = false
    const stop = async () => {
      isOver = true
      wake.resolve()
    }
    return {
      write: async (bytes: Uint8Array) => {
        said.push(bytes.slice())
        wake.resolve()
      },
      stop,
      pieces: (async function* () {
        for (;;) {
          const bytes = said.shift()
          if (bytes !== undefined) yield bytes
          else if (isOver) return
          else {
            await wake.promise
            wake = Promise.withResolvers<void>()
          }
        }
      })(),
    }
  }
  return {
    exec: async (_task, { command }) => {
      if (command[0] !== 'cat') throw new HiveError('EXEC_FAILED', { said: 'no such program' })
      const { write, stop, pieces } = talk()
      const output = (async function* (): AsyncGenerator<PrintedPiece> {
        for await (const bytes of pieces) yield { stream: 1, bytes }
      })()
      const session: ExecSession = {
        output,
        write,
        endInput: stop,
        resize: async ({ columns }) => write(Buffer.from(`${columns} columns`)),
        exitCode: async () => 7,
        [Symbol.asyncDispose]: stop,
      }
      return session
    },
    connect: async (_task, port) => {
      if (port !== 80) throw new HiveError('FORWARD_REFUSED', { port })
      const { write, stop, pieces } = talk()
      return { incoming: pieces, write, end: stop, [Symbol.asyncDispose]: stop }
    },
  }
}

/** A provider with one share of one task that runs, and its requester. */
async function provider(
  options: {
    readonly attach?: 'on' | 'off'
    readonly seed?: Uint8Array
    readonly way?: Attach
  } = {},
) {
  const net = new FakeNetwork()
  const [requester, node, stranger] = [net.join(), net.join(), net.join()]
  const works = new WorkBook(new MemoryStore())
  const work = { id: share, peer: requester.peer, tasks: [0], state: 'running' }
  // only what the desk looks at
  works.get = async (id) => (id === share ? (work as never) : undefined)
  const running = new TaskRegister()
  const plain = createFakeSandbox('docker')
  const sandbox: Sandbox = { ...plain, ...('way' in options ? {} : { attach: echo() }) }
  const desk = new AttachDesk(
    {
      clock: systemClock,
      logger: quietLogger(),
      lines: node.requests,
      works,
      running,
      sandboxes: [options.way === undefined ? sandbox : { ...sandbox, attach: options.way }],
    },
    { attach: options.attach ?? 'on' },
  )
  desk.answer()
  const end = Promise.withResolvers<void>()
  const task = { id: taskId(share, 0), limits, ...(options.seed && { seed: options.seed }) }
  const what = { agreement: share, index: 0, kind: 'docker', startedAt: 0 } as const
  const over = running.during(task, what, async () => end.promise)
  const exec = async (by = requester, command = ['cat'], index = 0) =>
    by.requests.open(
      node.peer,
      'exec',
      execRequest.encode({ agreement: share, index, command, env: {} }),
      { signal },
    )
  const forward = async (port: number) =>
    requester.requests.open(
      node.peer,
      'forward',
      forwardRequest.encode({ agreement: share, index: 0, port }),
      { signal },
    )
  return { works, stranger, exec, forward, end: async () => (end.resolve(), over) }
}

async function next(line: Duplex) {
  return decodeExecOutput((await line.read()) ?? new Uint8Array())
}

const textOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()

test('inside: input, sizes, output and the exit code pass, and the task is marked before it is entered', async () => {
  const it = await provider()
  using line = await it.exec()
  assert.deepEqual(await next(line), { type: 'started' })
  assert.equal(await it.works.attached.has(share, 0), true)
  await line.write(encodeExecInput({ type: 'input', bytes: Buffer.from('typed') }))
  const said = await next(line)
  assert.equal(said.type === 'output' && textOf(said.bytes), 'typed')
  await line.write(encodeExecInput({ type: 'resize', columns: 99, rows: 9 }))
  const size = await next(line)
  assert.equal(size.type === 'output' && textOf(size.bytes), '99 columns')
  await line.write(encodeExecInput({ type: 'input-end' }))
  assert.deepEqual(await next(line), { type: 'exit', code: 7 })
  assert.equal(await line.read(), undefined)
})

test('inside: a provider that lets nobody in declines, and marks nothing', async () => {
  const it = await provider({ attach: 'off' })
  using line = await it.exec()
  await assert.rejects(line.read(), { code: 'ATTACH_DECLINED' })
  assert.equal(await it.works.attached.has(share, 0), false)
})

test('inside: a stranger, and a task of another share, hear no more than of a share that is not there', async () => {
  const it = await provider()
  using strange = await it.exec(it.stranger)
  await assert.rejects(strange.read(), { code: 'AGREEMENT_UNKNOWN' })
  using other = await it.exec(undefined, ['cat'], 1)
  await assert.rejects(other.read(), { code: 'AGREEMENT_UNKNOWN' })
})

test('inside: a deterministic task refuses, so does one that has ended', async () => {
  const it = await provider({ seed: new Uint8Array(32) })
  using line = await it.exec()
  await assert.rejects(line.read(), { code: 'ATTACH_DETERMINISTIC' })
  await it.end()
  using late = await it.exec()
  await assert.rejects(late.read(), { code: 'TASK_NOT_RUNNING' })
})

test('inside: a sandbox without a way in is ATTACH_UNSUPPORTED, a program that fails says why', async () => {
  const none = await provider({ way: undefined as never })
  using line = await none.exec()
  await assert.rejects(line.read(), { code: 'ATTACH_UNSUPPORTED' })
  const it = await provider()
  using missing = await it.exec(undefined, ['nothing'])
  await assert.rejects(missing.read(), { code: 'EXEC_FAILED' })
})

test('inside: programs beyond their number are ATTACH_LIMIT, and one that is let go of makes room', async () => {
  const it = await provider()
  const lines = []
  for (let count = 0; count < MAX_ATTACHED_PROGRAMS; count++) {
    const line = await it.exec()
    await line.read()
    lines.push(line)
  }
  using beyond = await it.exec()
  await assert.rejects(beyond.read(), { code: 'ATTACH_LIMIT' })
  const [first] = lines
  await first?.write(encodeExecInput({ type: 'input-end' }))
  while ((await first?.read()) !== undefined);
  using again = await it.exec()
  assert.deepEqual(await next(again), { type: 'started' })
  for (const line of lines) line[Symbol.dispose]()
})

test('inside: a port is connected to, each direction with its own end; one that is closed refuses', async () => {
  const it = await provider()
  using line = await it.forward(80)
  assert.equal(textOf(await line.read()), '')
  await line.write(Buffer.from('there and back'))
  assert.equal(textOf(await line.read()), 'there and back')
  await line.end()
  assert.equal(await line.read(), undefined)
  using closed = await it.forward(81)
  await assert.rejects(closed.read(), { code: 'FORWARD_REFUSED' })
  using wrong = await it.forward(70_000)
  await assert.rejects(wrong.read(), { code: 'FORWARD_REFUSED' })
})

test('inside: the end of the task cuts its connections, and says so', async () => {
  const it = await provider()
  using line = await it.forward(80)
  await line.read()
  await it.end()
  await assert.rejects(line.read(), { code: 'TASK_NOT_RUNNING' })
})

test('inside: a frame against the rules ends the program', async () => {
  const it = await provider()
  using line = await it.exec()
  await line.read()
  await line.write(Uint8Array.of(9))
  await assert.rejects(line.read(), { code: 'MESSAGE_MALFORMED' })
})
