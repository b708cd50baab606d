import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDockerSandbox } from '../../node/adapters/docker/docker-sandbox.ts'
import { sandboxKeepsItsPromises, runProgram, textFile, textOf } from '../conformance/sandbox.ts'
import {
  dockerMissing,
  engine,
  leftoversOf,
  PROGRAMS,
  shell,
  SOCKET_PATH,
} from '../support/docker-programs.ts'
import { quietLogger } from '../support/quiet-logger.ts'
import { openWarmSandbox, type WarmTestSandbox } from '../support/warm-sandbox.ts'

const VICTIM = fileURLToPath(new URL('../support/warm-victim-process.ts', import.meta.url))

for (const runtime of ['runc', 'runsc']) {
  const skip = await dockerMissing(runtime)
  if (skip !== false) {
    test(`warm docker ${runtime} as a sandbox`, { skip }, () => undefined)
    continue
  }
  describe(`warm docker ${runtime}`, { concurrency: false }, () => {
    sandboxKeepsItsPromises(`warm docker ${runtime}`, async () => {
      const { sandbox, nodeId } = await openWarmSandbox(runtime)
      return { sandbox, programs: PROGRAMS, leftovers: () => leftoversOf(nodeId) }
    })
    test('a waiting container ends by itself when its node is killed, and the next life removes it', async () => {
      const nodeId = `warm-victim-${process.pid}-${runtime}`
      const victim = spawn(process.execPath, [VICTIM, runtime, nodeId], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(victim.stdout, 'data')
      const filters = { label: [`computehive.node=${nodeId}`] }
      const [waiting] = await engine.listContainers({ filters })
      assert.ok(waiting)
      victim.kill('SIGKILL')
      const abortSignal = AbortSignal.timeout(20_000)
      await engine.getContainer(waiting.Id).wait({ abortSignal })
      const sandbox = await openDockerSandbox(
        { logger: quietLogger() },
        { nodeId, socketPath: SOCKET_PATH, runtime },
      )
      assert.deepEqual(await leftoversOf(nodeId), [])
      await sandbox?.[Symbol.asyncDispose]()
    })

    describe(`a task in a container of ${runtime} made beforehand`, () => {
      let warm: WarmTestSandbox
      before(async () => {
        warm = await openWarmSandbox(runtime)
      })
      after(async () => {
        await warm.sandbox[Symbol.asyncDispose]()
      })
      const isWarm = async <T>(run: () => Promise<T>): Promise<T> => {
        const before = warm.taken()
        const result = await run()
        assert.equal(warm.taken(), before + 1, 'it ran in a container of its own')
        return result
      }

      test('gets its arguments, environment, stdin and files, and gives its outputs', async () => {
        const { stdout, stderr, files } = await isWarm(() =>
          runProgram(
            warm.sandbox,
            shell('echo "$1" $A; cat; cat /in/a; cp /out/b /out/c'),
            ['one two'],
            {
              env: { A: 'three' },
              stdin: Buffer.from('four\n'),
              files: [textFile('/in/a', 'five\n'), textFile('/out/b', 'six')],
            },
          ),
        )
        assert.equal(textOf(stdout), 'one two three\nfour\nfive\n', textOf(stderr))
        assert.deepEqual(
          files.map((file) => [file.path, textOf(file.bytes)]),
          [['/out/c', 'six']],
        )
      })

      test('is the first process, with an empty stdin and the environment of any other', async () => {
        // gVisor calls what an engine gives it `host:[1]`
        const where = runtime === 'runsc' ? '' : 'readlink /proc/self/fd/0; '
        const program = shell(`echo $$; cat; ${where}env | sort`)
        const { stdout } = await isWarm(() => runProgram(warm.sandbox, program, []))
        const cold = await openDockerSandbox(
          { logger: quietLogger() },
          { nodeId: `${warm.nodeId}-cold`, socketPath: SOCKET_PATH, runtime },
        )
        assert.ok(cold)
        const other = await runProgram(cold, program, [])
        await cold[Symbol.asyncDispose]()
        assert.equal(textOf(stdout), textOf(other.stdout))
        assert.match(textOf(stdout), /^1\n/)
        assert.match(textOf(stdout), /^HOME=\/$/m)
      })

      test('cannot write to the folder of the launching program', async () => {
        const { stdout } = await isWarm(() =>
          runProgram(
            warm.sandbox,
            shell(
              '(echo x > /.computehive/launch; echo x > /.computehive/x) 2>/dev/null; ls /.computehive',
            ),
            [],
          ),
        )
        assert.equal(textOf(stdout), 'launch\n')
      })

      test('whose program is missing is told so as in a container of its own', async () => {
        const { image } = shell('')
        const result = await isWarm(() =>
          runProgram(warm.sandbox, { image, args: ['no-such-program'] }, []),
        )
        assert.equal(result.reason, 'start-failed')
        assert.match(result.detail, /no-such-program/)
      })

      test('pays for nothing that happened before it came', async () => {
        const { usage } = await isWarm(() => runProgram(warm.sandbox, shell('true'), []))
        const { usage: busy } = await isWarm(() =>
          runProgram(warm.sandbox, PROGRAMS.spin, [], { limits: { wallMs: 500 } }),
        )
        // starting a container alone takes some 20 ms, 100 ms under gVisor
        assert.ok(usage.cpuMs < 80, `${usage.cpuMs} ms`)
        assert.ok(usage.cpuMs > 0)
        assert.ok(busy.cpuMs > 50, `${busy.cpuMs} ms`)
      })

      test('leaves nothing behind for the next', async () => {
        await isWarm(() => runProgram(warm.sandbox, shell('echo x > /tmp/x; echo x > /out/x'), []))
        const { stdout } = await isWarm(() =>
          runProgram(warm.sandbox, shell('ls -A /tmp /out'), []),
        )
        assert.doesNotMatch(textOf(stdout), /x/)
      })

      test('whose container somebody removed runs in one of its own', async () => {
        await runProgram(warm.sandbox, shell('true'), [])
        await runProgram(warm.sandbox, shell('true'), [])
        const filters = { label: [`computehive.node=${warm.nodeId}`] }
        for (const { Id: id } of await engine.listContainers({ filters })) {
          await engine.getContainer(id).remove({ force: true })
        }
        const { stdout } = await runProgram(warm.sandbox, shell('echo here'), [])
        assert.equal(textOf(stdout), 'here\n')
      })
    })
  })
}
