import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type Docker from 'dockerode'
import type { GpuDevice } from '../../node/domain/gpu-need.ts'
import { runProgram, textOf } from '../conformance/sandbox.ts'
import {
  dockerMissing,
  leftoversOf,
  openTestSandbox,
  shell,
  SOCKET_PATH,
} from '../support/docker-programs.ts'
import { openEngineProxy } from '../support/engine-proxy.ts'

const NVIDIA: GpuDevice = { vendor: 'nvidia', id: 'GPU-00000000-0000-0000-0000-000000000000' }
const AMD: GpuDevice = { vendor: 'amd', id: '/dev/dri/renderD4000' }

/** What an engine that has these devices would have made of it. */
const withoutDevices = (asked: Docker.ContainerCreateOptions) => {
  const { DeviceRequests: _requests, Devices: _devices, ...host } = asked.HostConfig ?? {}
  return { ...asked, HostConfig: host }
}

describe('GPUs of docker jobs on an engine without any', { skip: await dockerMissing() }, () => {
  test('what is missing for NVIDIA’s is found out at the start, and told to who gets a task there', async () => {
    const { sandbox } = await openTestSandbox('runc', { gpus: [NVIDIA] })
    await using _ = sandbox
    assert.deepEqual(sandbox.gpuVendors, [])
    const result = await runProgram(sandbox, shell('true'), [], { gpus: [NVIDIA] })
    assert.equal(result.reason, 'start-failed')
    assert.match(result.detail, /nvidia-container-toolkit/)
  })

  test('a GPU that is gone when its task starts is start-failed, and leaves nothing behind', async () => {
    const { sandbox, nodeId } = await openTestSandbox('runc', { gpus: [AMD] })
    await using _ = sandbox
    assert.deepEqual(sandbox.gpuVendors, ['amd'])
    const result = await runProgram(sandbox, shell('true'), [], { gpus: [AMD] })
    assert.equal(result.reason, 'start-failed')
    assert.match(result.detail, /\/dev\/kfd/)
    assert.deepEqual(await leftoversOf(nodeId), [])
  })

  test('a task that asks where none was found is start-failed', async () => {
    const { sandbox } = await openTestSandbox('runc')
    await using _ = sandbox
    for (const gpu of [NVIDIA, AMD]) {
      const result = await runProgram(sandbox, shell('true'), [], { gpus: [gpu] })
      assert.equal(result.reason, 'start-failed', gpu.vendor)
    }
  })

  test('the engine is asked for the GPUs of the task and for no others, and the task runs', async () => {
    await using proxy = await openEngineProxy(SOCKET_PATH, withoutDevices)
    const { socketPath } = proxy
    const { sandbox } = await openTestSandbox('runc', { gpus: [NVIDIA, AMD], socketPath })
    await using _ = sandbox
    assert.deepEqual(sandbox.gpuVendors, ['nvidia', 'amd'])
    const see = shell('echo $NVIDIA_VISIBLE_DEVICES')
    const before = proxy.asked.length
    const nvidia = await runProgram(sandbox, see, [], { gpus: [NVIDIA] })
    const amd = await runProgram(sandbox, see, [], { gpus: [AMD] })
    const none = await runProgram(sandbox, see, [])
    assert.deepEqual(
      [nvidia, amd, none].map(({ stdout, detail }) => [textOf(stdout), detail]),
      [
        [`${NVIDIA.id}\n`, ''],
        ['\n', ''],
        ['\n', ''],
      ],
    )
    const asked = proxy.asked
      .slice(before)
      .filter(({ Cmd }) => Cmd?.includes('echo $NVIDIA_VISIBLE_DEVICES'))
      .map(({ HostConfig: host }) => [host?.DeviceRequests, host?.Devices])
    const device = (path: string) => ({
      PathOnHost: path,
      PathInContainer: path,
      CgroupPermissions: 'rw',
    })
    assert.deepEqual(asked, [
      [[{ Driver: 'nvidia', DeviceIDs: [NVIDIA.id], Capabilities: [['gpu']] }], undefined],
      [undefined, [device('/dev/kfd'), device(AMD.id)]],
      [undefined, undefined],
    ])
  })

  test('a task with a secret variable gets its GPUs too, and the engine is not told the secret', async () => {
    await using proxy = await openEngineProxy(SOCKET_PATH, withoutDevices)
    const { socketPath } = proxy
    const { sandbox } = await openTestSandbox('runc', { gpus: [NVIDIA], socketPath })
    await using _ = sandbox
    const secret = randomUUID()
    const result = await runProgram(sandbox, shell('echo $NVIDIA_VISIBLE_DEVICES $TOKEN'), [], {
      gpus: [NVIDIA],
      secrets: { env: { TOKEN: secret }, files: [] },
    })
    assert.equal(textOf(result.stdout), `${NVIDIA.id} ${secret}\n`, result.detail)
    assert.ok(proxy.asked.some(({ HostConfig: host }) => host?.DeviceRequests !== undefined))
    assert.equal(JSON.stringify(proxy.asked).includes(secret), false)
  })
})

describe('GPUs under gVisor', { skip: await dockerMissing('runsc') }, () => {
  test('none is handed out, and no weaker runtime takes its place', async () => {
    const { sandbox } = await openTestSandbox('runsc', { gpus: [NVIDIA, AMD] })
    await using _ = sandbox
    assert.deepEqual(sandbox.gpuVendors, [])
    for (const gpu of [NVIDIA, AMD]) {
      const result = await runProgram(sandbox, shell('true'), [], { gpus: [gpu] })
      assert.equal(result.reason, 'start-failed')
      assert.match(result.detail, /gVisor/)
    }
  })
})
