import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerSettings } from '../../../../node/adapters/docker/container-settings.ts'
import { DOCKER } from '../../../../node/adapters/docker/dialect.ts'
import { gpuAccessOf } from '../../../../node/adapters/docker/gpu-access.ts'
import type { GpuAccess } from '../../../../node/adapters/docker/gpu-settings.ts'
import type { GpuDevice } from '../../../../node/domain/gpu-need.ts'
import type { SandboxTask } from '../../../../node/ports/sandbox.ts'
import { anImageTask } from '../confinement/an-image-task.ts'

const NVIDIA: readonly GpuDevice[] = ['GPU-1', 'GPU-2'].map((id) => ({ vendor: 'nvidia', id }))
const AMD: readonly GpuDevice[] = [{ vendor: 'amd', id: '/dev/dri/renderD129' }]
const EVERY: GpuAccess = { refusals: {}, isByVariable: false, groups: [44, 109] }

function settings(task: Partial<SandboxTask>, gpus: GpuAccess = EVERY, runtime = 'runc') {
  const plan = {
    name: 'a',
    imageId: 'sha256:1',
    imageEnv: ['NVIDIA_VISIBLE_DEVICES=all'],
    labels: {},
    mounts: [],
    cgroupParent: undefined,
    dialect: DOCKER,
  }
  return containerSettings(anImageTask(task), { ...plan, runtime, gpus })
}
const variable = (env: readonly string[] | undefined, name: string) =>
  env?.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1))

test('a task with GPUs of NVIDIA gets those, asked for by their UUIDs, and no other device', () => {
  const { HostConfig: host, Env } = settings({ gpus: NVIDIA })
  assert.deepEqual(host?.DeviceRequests, [
    { Driver: 'nvidia', DeviceIDs: ['GPU-1', 'GPU-2'], Capabilities: [['gpu']] },
  ])
  assert.deepEqual([host?.Devices, host?.GroupAdd], [undefined, undefined])
  assert.deepEqual(variable(Env, 'NVIDIA_VISIBLE_DEVICES'), ['GPU-1,GPU-2'])
})

test('a task with a GPU of AMD gets its render node, the computing device and their groups', () => {
  const { HostConfig: host } = settings({ gpus: AMD })
  assert.deepEqual(
    host?.Devices,
    ['/dev/kfd', '/dev/dri/renderD129'].map((path) => ({
      PathOnHost: path,
      PathInContainer: path,
      CgroupPermissions: 'rw',
    })),
  )
  assert.deepEqual(host?.GroupAdd, ['44', '109'])
  assert.equal(host?.DeviceRequests, undefined)
})

test('GPUs loosen nothing else of a container', () => {
  const without = settings({})
  for (const gpus of [NVIDIA, AMD]) {
    const { HostConfig: host, User } = settings({ gpus })
    const { DeviceRequests: _requests, Devices: _devices, GroupAdd: _groups, ...rest } = host ?? {}
    assert.deepEqual(rest, without.HostConfig)
    assert.equal(User, without.User)
  }
})

test('a task without GPUs cannot take some by a variable, nor one with a GPU take them all', () => {
  const env = { NVIDIA_VISIBLE_DEVICES: 'all', NVIDIA_DRIVER_CAPABILITIES: 'all' }
  const byVariable = { ...EVERY, isByVariable: true }
  const seen = (task: Partial<SandboxTask>, access = byVariable) =>
    variable(settings({ env, ...task }, access).Env, 'NVIDIA_VISIBLE_DEVICES')
  assert.deepEqual(seen({}), ['void'])
  assert.deepEqual(seen({ gpus: AMD }), ['void'])
  assert.deepEqual(seen({ gpus: NVIDIA.slice(1) }), ['GPU-2'])
  assert.deepEqual(seen({ gpus: NVIDIA }, EVERY), ['GPU-1,GPU-2'])
  // where no runtime reads it, nothing is changed
  assert.deepEqual(variable(settings({}).Env, 'NVIDIA_VISIBLE_DEVICES'), ['all'])
})

for (const [name, gpus, access] of [
  ['of a maker that this runtime cannot pass on', AMD, { ...EVERY, refusals: { amd: 'no' } }],
  ['that is any file of the host', [{ vendor: 'amd', id: '/dev/sda' }], EVERY],
  ['that is all of them', [{ vendor: 'nvidia', id: 'all' }], EVERY],
] as const) {
  test(`a GPU ${name} is refused`, () => {
    assert.throws(() => settings({ gpus }, access), { code: 'TASK_START_FAILED' })
  })
}

for (const [command, makers, isByVariable] of [
  ['runc', ['nvidia', 'amd'], false],
  ['/usr/bin/crun', ['nvidia', 'amd'], false],
  ['nvidia-container-runtime', ['nvidia', 'amd'], true],
  ['/usr/bin/runsc --network=none --platform=ptrace', [], false],
  ['/usr/bin/runsc --nvproxy=false', [], false],
  ['/usr/bin/runsc --nvproxy --network=none', ['nvidia'], true],
  ['runsc', [], false],
  ['/usr/bin/kata-runtime', [], true],
] as const) {
  test(`${command}: hands out GPUs of ${makers.join(' and ') || 'nobody'}`, () => {
    const access = gpuAccessOf(command)
    assert.deepEqual(
      (['nvidia', 'amd'] as const).filter((maker) => access.refusals[maker] === undefined),
      makers,
    )
    assert.equal(access.isByVariable, isByVariable)
  })
}
