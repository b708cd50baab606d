import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { MiB } from '../../node/domain/units.ts'
import { LABELS } from '../../node/adapters/docker/container-settings.ts'
import { openCgroupMeter } from '../../node/adapters/confinement/cgroup-meter.ts'
import { DOCKER_DEFAULTS, openDockerSandbox } from '../../node/adapters/docker/docker-sandbox.ts'
import { runProgram, textFile, textOf } from '../conformance/sandbox.ts'
import {
  busybox,
  dockerMissing,
  engine,
  leftoversOf,
  openTestSandbox,
  PROGRAMS,
  shell,
  SOCKET_PATH,
} from '../support/docker-programs.ts'
import { admitImage } from '../../node/adapters/image/image-admission.ts'
import { quietLogger, type LoggedLine } from '../support/quiet-logger.ts'

const missing = await dockerMissing()

test('where no engine answers there is no sandbox, and the log says why', async () => {
  const lines: LoggedLine[] = []
  const socketPath = '/nonexistent/docker.sock'
  const sandbox = await openDockerSandbox(
    { logger: quietLogger(lines) },
    { nodeId: 'x', socketPath },
  )
  assert.equal(sandbox, undefined)
  assert.equal(lines.length, 1)
  assert.match(String(lines[0]?.data['said']), /ENOENT/)
})

describe('what docker jobs leave behind', { skip: missing }, async () => {
  test('an unknown runtime: no sandbox, and a warning that names it', async () => {
    const lines: LoggedLine[] = []
    const options = { nodeId: 'x', socketPath: SOCKET_PATH, runtime: 'no-such-runtime' }
    assert.equal(await openDockerSandbox({ logger: quietLogger(lines) }, options), undefined)
    assert.equal(lines[0]?.level, 'warn')
    assert.equal(lines[0]?.data['runtime'], 'no-such-runtime')
  })

  for (const runtime of ['runc', 'runsc']) {
    const skip = await dockerMissing(runtime)
    test(`however a ${runtime} job ends, nothing of it stays`, { skip }, async () => {
      const { sandbox, nodeId } = await openTestSandbox(runtime)
      const given = { files: [textFile('/in/a', 'a')] }
      const limits = { wallMs: 200, memoryBytes: 64 * MiB }
      await runProgram(sandbox, shell('exit 1'), [], given)
      await runProgram(sandbox, PROGRAMS.spin, [], { ...given, limits })
      await runProgram(sandbox, PROGRAMS.hog, [], given)
      await runProgram(sandbox, { ...shell(''), args: ['/none'] }, [], given)
      assert.deepEqual(await leftoversOf(nodeId), [])
      await sandbox[Symbol.asyncDispose]()
      assert.deepEqual(await leftoversOf(nodeId), [])
      assert.deepEqual(await controlGroups(nodeId), [])
    })
  }

  test('a job cancelled while it was being prepared is gone after disposal', async () => {
    const { sandbox, nodeId } = await openTestSandbox('runc')
    await runProgram(sandbox, shell('true'), [])
    const stop = new AbortController()
    const running = runProgram(sandbox, PROGRAMS.spin, [], { signal: stop.signal })
    await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    assert.equal((await running).reason, 'killed')
    await sandbox[Symbol.asyncDispose]()
    assert.deepEqual(await leftoversOf(nodeId), [])
  })

  test('what a node that was killed left is removed when it opens again, and no one else’s', async () => {
    const nodeId = `killed-${process.pid}`
    const { sandbox: first } = await openTestSandbox('runc', { nodeId })
    await runProgram(first, shell('true'), [])
    await first[Symbol.asyncDispose]()
    const { id: Image } = await admitImage(await busybox.load())
    const leave = async (owner: string) => {
      const container = await engine.createContainer({
        Image,
        Cmd: ['sleep', '1000'],
        Labels: { [LABELS.node]: owner },
      })
      await container.start()
      await engine.createVolume({ Name: `left-${owner}`, Labels: { [LABELS.node]: owner } })
      return container
    }
    await leave(nodeId)
    const other = await leave(`${nodeId}-other`)
    const { sandbox } = await openTestSandbox('runc', { nodeId })
    assert.deepEqual(await leftoversOf(nodeId), [])
    assert.equal((await leftoversOf(`${nodeId}-other`)).length, 2)
    await sandbox[Symbol.asyncDispose]()
    await other.remove({ force: true })
    await engine.getVolume(`left-${nodeId}-other`).remove()
  })

  test('an engine that goes away during a run is SANDBOX_UNAVAILABLE, not a hang', async () => {
    await using proxy = await cuttableSocket()
    const nodeId = `cut-${process.pid}`
    const options = { nodeId, socketPath: proxy.path, runtime: 'runc' }
    const sandbox = await openDockerSandbox({ logger: quietLogger() }, options)
    assert.ok(sandbox)
    const onOutput = () => {
      proxy.cut()
    }
    await assert.rejects(runProgram(sandbox, PROGRAMS.sleep, ['30000'], { onOutput }), {
      code: 'SANDBOX_UNAVAILABLE',
    })
    await sandbox[Symbol.asyncDispose]()
    const { sandbox: again } = await openTestSandbox('runc', { nodeId })
    await again[Symbol.asyncDispose]()
    assert.deepEqual(await leftoversOf(nodeId), [])
  })

  test('without control groups the engine’s own figures are used', async () => {
    const { sandbox } = await openTestSandbox('runc', { cgroupRoot: '/proc/none' })
    const { usage } = await runProgram(sandbox, PROGRAMS.spin, [], { limits: { wallMs: 3500 } })
    assert.ok(usage.cpuMs > 500, `${usage.cpuMs} ms`)
    assert.ok(usage.peakMemoryBytes > 0)
    const { stdout } = await runProgram(sandbox, shell('echo short'), [])
    assert.equal(textOf(stdout), 'short\n')
    await sandbox[Symbol.asyncDispose]()
  })
})

/** Control groups of this node that exist now. */
async function controlGroups(nodeId: string): Promise<readonly string[]> {
  const info = (await engine.info()) as { readonly CgroupVersion?: string }
  const version = info.CgroupVersion ?? '1'
  const meter = await openCgroupMeter(version, nodeId, DOCKER_DEFAULTS.cgroupRoot)
  if (meter === undefined) return []
  const folder = join(
    DOCKER_DEFAULTS.cgroupRoot,
    version === '2' ? '' : 'memory',
    dirname(meter.parentOf('any')),
  )
  const groups = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  await meter.sweep()
  return groups.map((entry) => entry.name)
}

interface Cuttable extends AsyncDisposable {
  readonly path: string
  /** Ends every connection and takes no more. */
  cut(): void
}

/** The engine's socket behind one of ours that can be cut. */
async function cuttableSocket(): Promise<Cuttable> {
  const folder = await mkdtemp(join(tmpdir(), 'hive-docker-'))
  const path = join(folder, 'docker.sock')
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ path: SOCKET_PATH, allowHalfOpen: true })
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const cut = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return {
    path,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut()
      await rm(folder, { recursive: true })
    },
  }
}
