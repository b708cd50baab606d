import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerSettings } from '../../../../node/adapters/docker/container-settings.ts'
import { forStrangers, refusalOf } from '../../../../node/adapters/docker/engine.ts'
import { seccompProfile } from '../../../../node/adapters/docker/seccomp-profile.ts'
import { DOCKER } from '../../../../node/adapters/docker/dialect.ts'
import { mountSettings, volumeSettings } from '../../../../node/adapters/docker/task-mounts.ts'
import { planFolders } from '../../../../node/adapters/confinement/task-folders.ts'
import { usableLimits } from '../../../../node/adapters/confinement/usable-limits.ts'
import { MiB } from '../../../../node/domain/units.ts'
import type { SandboxTask } from '../../../../node/ports/sandbox.ts'
import { anImageTask } from '../confinement/an-image-task.ts'

function settings(task: SandboxTask, runtime = 'runc') {
  const mounts = planFolders(task).map((mount) => mountSettings('v', mount))
  const plan = {
    name: 'a-task',
    imageId: 'sha256:1',
    imageEnv: [],
    runtime,
    gpus: { refusals: {}, isByVariable: false, groups: [] },
    dialect: DOCKER,
    labels: { a: 'b' },
    mounts,
    cgroupParent: undefined,
  }
  return containerSettings(task, plan)
}

test('a container gets no network, no capability, no writable root, no swap, no shared memory', () => {
  const { HostConfig: host, User, NetworkDisabled } = settings(anImageTask())
  assert.equal(User, '65534:65534')
  assert.equal(NetworkDisabled, true)
  assert.equal(host?.NetworkMode, 'none')
  assert.equal(host?.ReadonlyRootfs, true)
  assert.deepEqual(host?.CapDrop, ['ALL'])
  assert.equal(host?.SecurityOpt?.[0], 'no-new-privileges:true')
  assert.match(host?.SecurityOpt?.[1] ?? '', /^seccomp=\{/)
  assert.equal(host?.Memory, 64 * MiB)
  assert.equal(host?.MemorySwap, 64 * MiB)
  assert.equal(host?.NanoCpus, 5e8)
  assert.equal(host?.IpcMode, 'none')
  assert.equal(host?.Binds, undefined)
  assert.equal(host?.Devices, undefined)
  assert.equal(host?.Privileged, undefined)
})

test('gVisor is given room for the threads of its own kernel', () => {
  assert.equal(settings(anImageTask()).HostConfig?.PidsLimit, 128)
  assert.ok((settings(anImageTask(), 'runsc').HostConfig?.PidsLimit ?? 0) >= 512)
})

test('no arguments leave the image’s command; stdin is opened only when there is some', () => {
  assert.equal(settings(anImageTask()).Cmd, undefined)
  assert.deepEqual(settings(anImageTask({ args: ['x'] })).Cmd, ['x'])
  assert.equal(settings(anImageTask()).OpenStdin, false)
  assert.equal(settings(anImageTask({ stdin: Buffer.of(1) })).StdinOnce, true)
})

test('/tmp is sized, unless the task puts something else there', () => {
  const size = (task: SandboxTask) => settings(task).HostConfig?.Tmpfs?.['/tmp']
  assert.match(size(anImageTask()) ?? '', /noexec.*size=1048576,/)
  assert.equal(size(anImageTask({ outputs: '/tmp' })), undefined)
})

test('the filter allows by name only, and never what leads out', () => {
  const profile = JSON.parse(seccompProfile()) as {
    readonly defaultAction: string
    readonly syscalls: readonly { readonly names: readonly string[]; readonly action: string }[]
  }
  assert.equal(profile.defaultAction, 'SCMP_ACT_ERRNO')
  const allowed = new Set(
    profile.syscalls
      .filter((rule) => rule.action === 'SCMP_ACT_ALLOW')
      .flatMap((rule) => rule.names),
  )
  for (const name of ['read', 'execve', 'futex', 'clone', 'openat']) assert.ok(allowed.has(name))
  for (const name of ['io_uring_setup', 'unshare', 'bpf', 'keyctl', 'ptrace', 'mount', 'clone3']) {
    assert.equal(allowed.has(name), false, name)
  }
})

test('inputs are grouped by top folder; those under the outputs folder lie in it', () => {
  const file = (path: string) => ({ path, bytes: Buffer.of(1) })
  const task = anImageTask({
    files: ['/in/a', '/in/b/c', '/data/d', '/out/e'].map(file),
  })
  assert.deepEqual(
    planFolders(task).map((mount) => [mount.target, mount.isOutput, mount.files.length]),
    [
      ['/in', false, 2],
      ['/data', false, 1],
      ['/out', true, 1],
    ],
  )
})

for (const [name, task] of Object.entries({
  'a file at the root': anImageTask({ files: [{ path: '/a', bytes: Buffer.of(1) }] }),
  'a file that climbs': anImageTask({ files: [{ path: '/in/../../a', bytes: Buffer.of(1) }] }),
  'a relative file': anImageTask({ files: [{ path: 'in/a', bytes: Buffer.of(1) }] }),
  'the root as outputs': anImageTask({ outputs: '/' }),
  'a file among the kernel’s own': anImageTask({
    files: [{ path: '/proc/a', bytes: Buffer.of(1) }],
  }),
  'outputs in /etc': anImageTask({ outputs: '/etc/x' }),
  'outputs that climb': anImageTask({ outputs: '/out/..' }),
})) {
  test(`a mount is refused: ${name}`, () => {
    assert.throws(() => planFolders(task), { code: 'TASK_START_FAILED' })
  })
}

test('only the outputs volume is memory, and it has the task’s size', () => {
  const [inputs, outputs] = planFolders(
    anImageTask({ files: [{ path: '/in/a', bytes: Buffer.of(1) }] }),
  ).map((mount) => volumeSettings('v', mount, 4096, {}))
  assert.equal(inputs?.DriverOpts, undefined)
  assert.match(outputs?.DriverOpts?.['o'] ?? '', /size=4096,.*uid=65534/)
})

test('no limit is ever none: what engine, kernel or timer take for "unlimited" is raised or cut', () => {
  const zero = { cpuMillis: 0, memoryBytes: 0, diskBytes: 0, wallMs: 0, outputBytes: 0 }
  const least = usableLimits(zero)
  assert.ok(least.cpuMillis > 0 && least.memoryBytes > 0 && least.diskBytes > 0)
  assert.deepEqual([least.wallMs, least.outputBytes], [0, 0])
  const most = usableLimits({ ...zero, wallMs: Number.MAX_SAFE_INTEGER })
  assert.ok(most.wallMs > 1e9 && most.wallMs < 2 ** 31 - 60_000)
  const { limits } = anImageTask()
  assert.deepEqual(usableLimits(limits), { ...limits })
})

test('what a requester reads of the engine’s refusal names no folder of the provider', () => {
  const message =
    'mount /srv/docker/volumes/x/_data:/srv/docker/overlay2/y/merged/a: not a directory'
  assert.equal(
    forStrangers({ status: 500, message }),
    'mount (a folder of the engine):(a folder of the engine): not a directory',
  )
})

test('what the engine said is told also where its client was asked for a stream and has it in its own words only', () => {
  const said = 'exec: "/x": stat /x: no such file or directory'
  const ofStream = Object.assign(new Error(`(HTTP code 409) unexpected - ${said} `), {
    statusCode: 409,
    json: null,
  })
  assert.deepEqual(refusalOf(ofStream), { status: 409, message: said })
  const mute = Object.assign(new Error('no words'), { statusCode: 409, json: null })
  assert.deepEqual(refusalOf(mute), { status: 409, message: 'status 409' })
})
