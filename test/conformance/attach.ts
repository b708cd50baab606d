import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import { codeOf } from '../../node/domain/errors.ts'
import { MiB } from '../../node/domain/units.ts'
import type { Attach, ExecProgram, ExecSession } from '../../node/ports/attach.ts'
import type { Sandbox, SandboxResult } from '../../node/ports/sandbox.ts'
import { aTask, textOf, type Program } from './sandbox.ts'

const never = new AbortController().signal

/** What the suite needs of one adapter. */
export interface AttachableSandbox {
  readonly sandbox: Sandbox
  /** Makes a program of a line of shell, with busybox's tools. */
  readonly shell: (line: string) => Program
  /** Whether ports inside its tasks can be connected to. */
  readonly connects: boolean
  /** Whether a program that was let go of is ended at once, not only with its task. */
  readonly ends: boolean
}

/** A task that runs, and the way into it. Disposal ends it. */
export interface RunningInside extends AsyncDisposable {
  readonly id: string
  readonly attach: Attach
  readonly result: Promise<SandboxResult>
  end(): Promise<SandboxResult>
  /** What a line of shell run inside prints, and how it ends. */
  sh(line: string, input?: string): Promise<Said>
  exec(program: Partial<ExecProgram>): Promise<ExecSession>
}

/** How a program inside went. */
export interface Said {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

/** Runs a line of shell as a task, once it has printed `up`. */
export async function runInside(
  { sandbox, shell }: Pick<AttachableSandbox, 'sandbox' | 'shell'>,
  line: string,
  more: Parameters<typeof aTask>[2] = {},
): Promise<RunningInside> {
  const { attach } = sandbox
  assert.ok(attach !== undefined, 'the sandbox has no way in')
  const task = aTask(
    shell(`${line.split('&&up')[0] ?? ''}echo up; ${line.split('&&up')[1] ?? 'exec sleep 600'}`),
    [],
    {
      ...more,
      // gVisor's own kernel is within them: 64 MiB were not enough for it under programs that start without a pause
      limits: { wallMs: 120_000, memoryBytes: 128 * MiB, ...more.limits },
    },
  )
  const up = Promise.withResolvers<void>()
  const stop = new AbortController()
  const result = sandbox.run(task, { signal: stop.signal, onOutput: () => up.resolve() })
  const early = await Promise.race([up.promise, result])
  assert.equal(
    early,
    undefined,
    `the task ended: ${early?.reason} ${early?.detail} ${textOf(early?.stderr ?? new Uint8Array())}`,
  )
  const end = async (): Promise<SandboxResult> => {
    stop.abort()
    return await result
  }
  const exec = async (program: Partial<ExecProgram>): Promise<ExecSession> =>
    attach.exec(task.id, { command: [], env: {}, ...program }, { signal: never })
  return {
    id: task.id,
    attach,
    result,
    end,
    exec,
    sh: async (command, input) => {
      await using session = await exec({ command: ['sh', '-c', command] })
      if (input !== undefined) await session.write(Buffer.from(input))
      await session.endInput()
      return await toTheEnd(session)
    },
    [Symbol.asyncDispose]: async () => void (await end()),
  }
}

/** All that a program prints, and its exit code. */
export async function toTheEnd(session: ExecSession): Promise<Said> {
  const said = { 1: [] as Uint8Array[], 2: [] as Uint8Array[] }
  for await (const { stream, bytes } of session.output) said[stream].push(bytes)
  const code = await session.exitCode()
  return { stdout: textOf(Buffer.concat(said[1])), stderr: textOf(Buffer.concat(said[2])), code }
}

/** What every way into a running task promises, asked of one adapter. */
export function attachKeepsItsPromises(name: string, open: () => Promise<AttachableSandbox>): void {
  describe(`${name}, from inside`, () => {
    let on: AttachableSandbox

    before(async () => {
      on = await open()
    })
    after(async () => {
      await on.sandbox[Symbol.asyncDispose]()
    })

    test('a program inside reads its input, prints on both streams, and its exit code comes back', async () => {
      await using inside = await runInside(on, '')
      const said = await inside.sh('cat; echo oh >&2; exit 7', 'in and out')
      assert.deepEqual(said, { stdout: 'in and out', stderr: 'oh\n', code: 7 })
    })

    test('it finds the files, variables and processes of its task', async () => {
      await using inside = await runInside(on, 'echo here >/tmp/mark; &&upexec sleep 599', {
        env: { GREETING: 'hello' },
      })
      const { stdout } = await inside.sh('cat /tmp/mark; echo $GREETING; ps')
      assert.match(stdout, /^here\nhello\n/)
      assert.match(stdout, /sleep 599/)
    })

    test('its own variables win, and a command is words, not a line of shell', async () => {
      await using inside = await runInside(on, '', { env: { A: 'task', B: 'task' } })
      await using session = await inside.exec({
        command: ['sh', '-c', 'echo "$A $B $1"', 'sh', '$(id); x'],
        env: { A: 'own' },
      })
      await session.endInput()
      assert.equal((await toTheEnd(session)).stdout, 'own task $(id); x\n')
    })

    test('on a terminal it sees its size, and the size that it is given later', async () => {
      await using inside = await runInside(on, '')
      await using session = await inside.exec({
        command: ['sh', '-c', 'echo ready; read line; stty size; read line; stty size; exit 3'],
        terminal: { columns: 101, rows: 31 },
      })
      let seen = ''
      const steps = [
        { at: 'ready', next: () => session.write(Buffer.from('go\n')) },
        {
          at: '31 101',
          next: async () => {
            await session.resize({ columns: 77, rows: 22 })
            await session.write(Buffer.from('go\n'))
          },
        },
      ]
      for await (const { stream, bytes } of session.output) {
        assert.equal(stream, 1)
        seen += textOf(bytes)
        if (steps[0] !== undefined && seen.includes(steps[0].at)) await steps.shift()?.next()
      }
      assert.match(seen, /31 101[^]*22 77/)
      assert.equal(await session.exitCode(), 3)
    })

    test('a program that is not there is EXEC_FAILED', async () => {
      await using inside = await runInside(on, '')
      const start = async (): Promise<void> => {
        await using session = await inside.exec({ command: ['no-such-program'] })
        await toTheEnd(session)
      }
      await assert.rejects(start(), { code: 'EXEC_FAILED' })
    })

    test('a slow reader holds the program back', async () => {
      await using inside = await runInside(on, '')
      await using session = await inside.exec({
        command: ['sh', '-c', 'yes | head -c 67108864; echo done >/tmp/done'],
      })
      const reading = session.output[Symbol.asyncIterator]()
      await reading.next()
      await delay(1500)
      assert.notEqual((await inside.sh('test -e /tmp/done')).code, 0)
      for (let next = await reading.next(); next.done !== true; next = await reading.next());
      assert.equal(await session.exitCode(), 0)
      assert.equal((await inside.sh('cat /tmp/done')).stdout, 'done\n')
    })

    test('letting go of a program ends it, and not the task', async (t) => {
      if (!on.ends) return t.skip('its programs are not in the hand of this machine')
      await using inside = await runInside(on, '')
      const session = await inside.exec({
        command: ['sh', '-c', 'echo begun; sleep 777; echo more'],
      })
      await session.output[Symbol.asyncIterator]().next()
      assert.match((await inside.sh('ps')).stdout, /sleep 777/)
      await session[Symbol.asyncDispose]()
      const { stdout } = await inside.sh('ps | grep "sh -c echo begun" | grep -v grep; true')
      assert.equal(stdout, '')
    })

    test('the end of the task ends what runs in it', async () => {
      await using inside = await runInside(on, '')
      await using session = await inside.exec({ command: ['sh', '-c', 'echo begun; sleep 778'] })
      const reading = session.output[Symbol.asyncIterator]()
      await reading.next()
      const { reason } = await inside.end()
      assert.equal(reason, 'killed')
      assert.equal((await reading.next()).done, true)
      const end = await session.exitCode().catch(codeOf)
      assert.ok(end !== 0, `it ended with ${end}`)
    })

    test('what runs in a task is counted as the task: it gets no more memory', async () => {
      await using inside = await runInside(on, '')
      await using session = await inside.exec({ command: ['tail', '/dev/zero'] })
      const code = await toTheEnd(session).then((said) => said.code, codeOf)
      assert.ok(code !== 0, 'it took more than its task has')
    })

    test('a task that does not run, or no more, is TASK_NOT_RUNNING', async () => {
      const inside = await runInside(on, '')
      await inside.end()
      await assert.rejects(inside.sh('true'), { code: 'TASK_NOT_RUNNING' })
      const another = inside.attach.exec('nobody', { command: ['sh'], env: {} }, { signal: never })
      await assert.rejects(another, { code: 'TASK_NOT_RUNNING' })
    })

    test('a port inside is connected to, both ways, each with its own end', async (t) => {
      if (!on.connects)
        return t.skip('its tasks have a network of their own that cannot be entered')
      await using inside = await runInside(on, 'nc -ll -p 7000 -e cat & sleep 1; ')
      await using line = await inside.attach.connect(inside.id, 7000, { signal: never })
      await line.write(Buffer.from('there and '))
      await line.write(Buffer.from('back'))
      await line.end()
      const back: Uint8Array[] = []
      for await (const bytes of line.incoming) back.push(bytes)
      assert.equal(textOf(Buffer.concat(back)), 'there and back')
    })

    test('where nothing listens inside, a port is FORWARD_REFUSED, whatever listens on this machine', async (t) => {
      const server = createServer((socket) => void socket.end('from outside'))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      try {
        const { port } = server.address() as AddressInfo
        await using inside = await runInside(on, '')
        const code = on.connects ? 'FORWARD_REFUSED' : 'ATTACH_UNSUPPORTED'
        await assert.rejects(inside.attach.connect(inside.id, port, { signal: never }), { code })
      } finally {
        server.close()
      }
      if (!on.connects) t.diagnostic('its tasks have a network of their own that cannot be entered')
    })
  })
}
