import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseCpuList } from '../../../../../node/adapters/system/hardware/cpu-list.ts'
import { FakeMachine } from './fake-machine.ts'

const GIB = 1024 ** 3
const KIB_PER_GIB = 1024 ** 2

/** Two threads a core, thread n + `cores` beside thread n. */
function threads(cores: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: 2 * cores }, (_, cpu) => [
      `sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`,
      `${cpu % cores},${(cpu % cores) + cores}\n`,
    ]),
  )
}

const SERVER = {
  'proc/cpuinfo': [
    'processor\t: 0',
    'model name\t: Intel(R) Xeon(R) Platinum 8480+',
    'flags\t\t: fpu sse4_2 aes avx avx2 sha_ni avx512f amx_tile amx_bf16 sgx',
    '',
    'processor\t: 1',
  ].join('\n'),
  'proc/meminfo': `MemTotal:       ${256 * KIB_PER_GIB} kB\nMemFree: 5 kB\nMemAvailable:   ${200 * KIB_PER_GIB} kB\n`,
  'sys/devices/system/cpu/online': '0-7\n',
  ...threads(4),
}

test('cpu: model, cores, hyper-threads and the flags that matter', async () => {
  await using machine = await FakeMachine.build(SERVER)
  const { cpuModel, cores, physicalCores, cpuFlags } = await machine.detect()
  assert.equal(cpuModel, 'Intel(R) Xeon(R) Platinum 8480+')
  assert.equal(cores, 8)
  assert.equal(physicalCores, 4)
  assert.deepEqual(
    new Set(cpuFlags),
    new Set(['sse4_2', 'aes', 'avx', 'avx2', 'sha_ni', 'avx512f', 'amx_tile', 'amx_bf16']),
  )
})

test('cpu: only those that the process may run on count', async () => {
  await using machine = await FakeMachine.build({
    ...SERVER,
    'proc/self/status': 'Name:\tnode\nCpus_allowed:\t33\nCpus_allowed_list:\t0,1,4,5\n',
  })
  const { cores, physicalCores } = await machine.detect()
  assert.deepEqual([cores, physicalCores], [4, 2])
})

test('cpu and memory: a control group above the process bounds both', async () => {
  await using machine = await FakeMachine.build({
    ...SERVER,
    'proc/self/cgroup': '0::/system.slice/hive.service\n',
    'sys/fs/cgroup/system.slice/cpu.max': '350000 100000\n',
    'sys/fs/cgroup/system.slice/memory.max': 'max\n',
    'sys/fs/cgroup/system.slice/hive.service/cpu.max': 'max 100000\n',
    'sys/fs/cgroup/system.slice/hive.service/memory.max': `${16 * GIB}\n`,
    'sys/fs/cgroup/system.slice/hive.service/memory.current': `${GIB}\n`,
  })
  const { cores, physicalCores, memoryBytes, memoryAvailableBytes } = await machine.detect()
  assert.deepEqual([cores, physicalCores], [3, 3])
  assert.equal(memoryBytes, 16 * GIB)
  assert.equal(memoryAvailableBytes, 15 * GIB)
})

test('cpu and memory: half a processor of quota is still one core; a group outside the mount is its root', async () => {
  await using machine = await FakeMachine.build({
    ...SERVER,
    'proc/self/cgroup': '0::/../other\n',
    'sys/fs/cgroup/cpu.max': '50000 100000\n',
    'sys/fs/cgroup/memory.max': `${2 * GIB}\n`,
  })
  const { cores, memoryBytes } = await machine.detect()
  assert.deepEqual([cores, memoryBytes], [1, 2 * GIB])
})

test('memory: total and what can be had', async () => {
  await using machine = await FakeMachine.build(SERVER)
  const { memoryBytes, memoryAvailableBytes } = await machine.detect()
  assert.deepEqual([memoryBytes, memoryAvailableBytes], [256 * GIB, 200 * GIB])
})

test('an ARM board without PCI has a processor by its part, its flags, and nothing else', async () => {
  await using machine = await FakeMachine.build({
    'proc/cpuinfo':
      'processor\t: 0\nFeatures\t: fp asimd aes sha2 atomics asimddp\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n\nModel\t: Raspberry Pi 5\n',
    'sys/devices/system/cpu/online': '0-3\n',
    'sys/class/net/eth0/type': '1\n',
    'sys/class/net/eth0/speed': '1000\n',
    'sys/class/net/eth0/device/uevent': 'DRIVER=macb\n',
  })
  const { cpuModel, cpuFlags, cores, physicalCores, ...rest } = await machine.detect()
  assert.equal(cpuModel, 'ARM Cortex-A76')
  assert.deepEqual(cpuFlags, ['aes', 'asimd', 'asimddp', 'sha2', 'atomics'])
  assert.equal(cores, 4)
  assert.equal(physicalCores, undefined)
  assert.deepEqual([rest.gpus, rest.fpgas, rest.tpus, rest.tees], [[], [], [], []])
  assert.deepEqual(rest.networkLinks, [{ kind: 'ethernet', speedMbps: 1000, count: 1 }])
})

test('network: interfaces with hardware count by kind and speed; names and addresses stay here', async () => {
  const net = 'sys/class/net'
  await using machine = await FakeMachine.build({
    [`${net}/lo/type`]: '772\n',
    [`${net}/docker0/speed`]: '10000\n',
    [`${net}/ens1f0/type`]: '1\n',
    [`${net}/ens1f0/speed`]: '25000\n',
    [`${net}/ens1f0/address`]: '02:00:00:00:00:01\n',
    [`${net}/ens1f0/device/uevent`]: '',
    [`${net}/ens1f1/type`]: '1\n',
    [`${net}/ens1f1/speed`]: '25000\n',
    [`${net}/ens1f1/device/uevent`]: '',
    [`${net}/wlan0/type`]: '1\n',
    [`${net}/wlan0/phy80211/index`]: '0\n',
    [`${net}/wlan0/device/uevent`]: '',
    [`${net}/down0/type`]: '1\n',
    [`${net}/down0/speed`]: '-1\n',
    [`${net}/down0/device/uevent`]: '',
    [`${net}/ib0/type`]: '32\n',
    [`${net}/ib0/speed`]: '400000\n',
    [`${net}/ib0/device/uevent`]: '',
    [`${net}/vf0/type`]: '1\n',
    [`${net}/vf0/device/uevent`]: '',
  })
  await machine.link(`${net}/vf0/device/physfn`, '../0000:01:00.0')
  assert.deepEqual((await machine.detect()).networkLinks, [
    { kind: 'ethernet', speedMbps: 25000, count: 2 },
    { kind: 'ethernet', count: 1 },
    { kind: 'infiniband', speedMbps: 400000, count: 1 },
    { kind: 'wifi', count: 1 },
  ])
})

test('disk: free space is at most the size; a folder that is not there has neither', async () => {
  await using machine = await FakeMachine.build()
  const { diskBytes, diskTotalBytes = 0 } = await machine.detect()
  assert.ok(diskBytes > 0 && diskBytes <= diskTotalBytes)
  const none = await machine.detect({ workDir: join(tmpdir(), 'no', 'such', 'folder') })
  assert.deepEqual([none.diskBytes, none.diskTotalBytes], [0, 0])
})

test('processor lists are read as the kernel writes them, and nothing else is', () => {
  assert.deepEqual(parseCpuList('0-2,8\n'), new Set([0, 1, 2, 8]))
  for (const text of ['', 'x', '1-', '3-1', '0-99999', '0-9999999999', '-1', '1,,2', '0x1'])
    assert.equal(parseCpuList(text), undefined, text)
})
