import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMachineSampler } from '../../../../../node/adapters/system/machine-sampler.ts'
import { FakeMachine } from '../hardware/fake-machine.ts'

const GIB = 1024 ** 3
const MEMINFO = `MemTotal: ${8 * 1024 ** 2} kB\nMemAvailable: ${6 * 1024 ** 2} kB\n`
const stat = (busy: number, idle: number) => `cpu  ${busy} 0 0 ${idle} 0 0 0 0 0 0\ncpu0 1 2 3 4\n`
const disks = (read: number, written: number) =>
  [
    ` 259 0 nvme0n1 9 9 ${read} 9 9 9 ${written} 9 0 9 9`,
    ` 259 1 nvme0n1p1 9 9 ${read} 9 9 9 ${written} 9 0 9 9`,
    ` 253 0 dm-0 9 9 ${read} 9 9 9 ${written} 9 0 9 9`,
    `   7 0 loop0 9 9 ${read} 9 9 9 ${written} 9 0 9 9`,
  ].join('\n')
const net = (inside: number, outside: number) =>
  `Inter-|   Receive\n face |bytes\n    lo: 99 1 0 0 0 0 0 0 99 1 0 0 0 0 0 0\n  eth0: ${inside} 1 0 0 0 0 0 0 ${outside} 1 0 0 0 0 0 0\n veth1: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n`

async function machineWith(files: Readonly<Record<string, string>>) {
  const machine = await FakeMachine.build({ 'proc/meminfo': MEMINFO, ...files })
  const clock = { now: 1000 }
  const sampler = createMachineSampler({
    root: machine.root,
    workDir: machine.root,
    now: () => clock.now,
  })
  return {
    machine,
    clock,
    sampler,
    [Symbol.asyncDispose]: async () => {
      await sampler[Symbol.asyncDispose]()
      await machine[Symbol.asyncDispose]()
    },
  }
}

test('sampler: rates are those since the sample before; partitions, loops and virtual interfaces do not count twice', async () => {
  await using it = await machineWith({
    'proc/stat': stat(100, 900),
    'proc/diskstats': disks(0, 0),
    'proc/net/dev': net(0, 0),
    'sys/block/nvme0n1/size': '1',
    'sys/block/dm-0/size': '1',
    'sys/block/loop0/size': '1',
    'sys/class/net/eth0/device/vendor': '0x8086',
    'sys/class/net/lo/mtu': '1',
    'sys/class/net/veth1/mtu': '1',
  })
  const first = await it.sampler.sample()
  assert.equal(first.cpu, undefined)
  assert.equal(first.diskReadBytesPerSecond, undefined)
  assert.equal(first.memoryUsedBytes, 2 * GIB)
  assert.equal(first.memoryTotalBytes, 8 * GIB)
  assert.ok((first.diskFreeBytes ?? 0) > 0)
  await it.machine.files({
    'proc/stat': stat(175, 925),
    'proc/diskstats': disks(8, 16),
    'proc/net/dev': net(3000, 1000),
  })
  it.clock.now += 2000
  const second = await it.sampler.sample()
  assert.equal(second.cpu, 0.75)
  assert.equal(second.diskReadBytesPerSecond, 8 * 256)
  assert.equal(second.diskWriteBytesPerSecond, 16 * 256)
  assert.equal(second.networkInBytesPerSecond, 1500)
  assert.equal(second.networkOutBytesPerSecond, 500)
})

test('sampler: counters that went back, a clock that did, and files of nonsense tell nothing', async () => {
  await using it = await machineWith({
    'proc/stat': stat(100, 900),
    'proc/diskstats': disks(8, 8),
    'sys/block/nvme0n1/size': '1',
  })
  await it.sampler.sample()
  await it.machine.files({ 'proc/stat': stat(50, 900), 'proc/diskstats': disks(0, 0) })
  it.clock.now += 1000
  const back = await it.sampler.sample()
  assert.deepEqual([back.cpu, back.diskReadBytesPerSecond], [undefined, undefined])
  await it.machine.files({ 'proc/stat': 'cpu  x y\n', 'proc/diskstats': '\0\n259 0\n' })
  const nonsense = await it.sampler.sample()
  assert.deepEqual([nonsense.cpu, nonsense.diskWriteBytesPerSecond], [undefined, undefined])
})

test('sampler: the hottest core, not the hottest disk; a sensor that is not there is none', async () => {
  await using it = await machineWith({
    'sys/class/hwmon/hwmon0/name': 'nvme\n',
    'sys/class/hwmon/hwmon0/temp1_input': '90000\n',
    'sys/class/hwmon/hwmon1/name': 'k10temp\n',
    'sys/class/hwmon/hwmon1/temp1_input': '61500\n',
    'sys/class/hwmon/hwmon1/temp3_input': '-128000\n',
    'sys/class/thermal/thermal_zone0/temp': '99000\n',
  })
  assert.equal((await it.sampler.sample()).temperatureC, 61.5)
})

test('sampler: a board without such sensors has its thermal zones, and a virtual machine has nothing', async () => {
  await using board = await machineWith({
    'sys/class/thermal/thermal_zone0/temp': '41000\n',
    'sys/class/thermal/thermal_zone1/temp': '47000\n',
    'sys/class/thermal/cooling_device0/temp': '99000\n',
  })
  assert.equal((await board.sampler.sample()).temperatureC, 47)
  await using bare = await machineWith({})
  assert.equal((await bare.sampler.sample()).temperatureC, undefined)
})

test('sampler: AMD’s cards tell in sysfs, connectors and cards of others are none', async () => {
  const card = 'sys/class/drm/card1/device'
  await using it = await machineWith({
    [`${card}/vendor`]: '0x1002\n',
    [`${card}/product_name`]: 'Instinct MI250\n',
    [`${card}/gpu_busy_percent`]: '97\n',
    [`${card}/mem_info_vram_used`]: '4096\n',
    [`${card}/hwmon/hwmon3/temp1_input`]: '55000\n',
    [`${card}/hwmon/hwmon3/temp2_input`]: '71000\n',
    [`${card}/hwmon/hwmon3/power1_average`]: '300000000\n',
    'sys/class/drm/card1-DP-1/device/vendor': '0x1002\n',
    'sys/class/drm/card0/device/vendor': '0x1a03\n',
  })
  assert.deepEqual((await it.sampler.sample()).gpus, [
    {
      model: 'Instinct MI250',
      busy: 0.97,
      memoryUsedBytes: 4096,
      temperatureC: 71,
      powerWatts: 300,
    },
  ])
})

test('sampler: NVIDIA’s tool is asked where its driver is, and nobody waits for it', async () => {
  await using it = await machineWith({ 'proc/driver/nvidia/version': 'NVRM version: x\n' })
  await it.machine.nvidiaSmi(
    `echo 'NVIDIA H100 80GB HBM3, 98, 40960, 61, 402.13'; echo 'NVIDIA H100 80GB HBM3, [N/A], 10, 40, [N/A]'; echo nonsense`,
  )
  assert.deepEqual((await it.sampler.sample()).gpus, [])
  let gpus = (await it.sampler.sample()).gpus
  for (const since = performance.now(); gpus.length === 0 && performance.now() - since < 10_000;)
    gpus = (await it.sampler.sample()).gpus
  const model = 'NVIDIA H100 80GB HBM3'
  const MIB = 1024 ** 2
  assert.deepEqual(gpus, [
    { model, busy: 0.98, memoryUsedBytes: 40960 * MIB, temperatureC: 61, powerWatts: 402.13 },
    { model, memoryUsedBytes: 10 * MIB, temperatureC: 40 },
  ])
})

test('sampler: a tool without a driver is left alone', async () => {
  await using it = await machineWith({})
  await it.machine.nvidiaSmi('touch "$(dirname "$0")/asked"; echo "a, 1, 1, 1, 1"')
  await it.sampler.sample()
  assert.deepEqual((await it.sampler.sample()).gpus, [])
})

test('sampler: this machine has processors, memory and disk, and a look costs little', async () => {
  await using sampler = createMachineSampler({ workDir: '/' })
  await sampler.sample()
  const end = performance.now() + 50
  while (performance.now() < end); // so that some ticks pass
  const startedAt = performance.now()
  const sample = await sampler.sample()
  assert.ok(performance.now() - startedAt < 1000)
  assert.ok(sample.cpu !== undefined && sample.cpu >= 0 && sample.cpu <= 1, String(sample.cpu))
  assert.ok((sample.memoryUsedBytes ?? 0) > 0 && (sample.diskFreeBytes ?? 0) > 0)
})
