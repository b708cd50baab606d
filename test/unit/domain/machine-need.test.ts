import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { offerTags, parseNeed, tagsOf, type Machine } from '../../../node/domain/machine-need.ts'
import { GiB } from '../../../node/domain/units.ts'

const KINDS = ['wasm', 'docker']
const FOR_JOBS = { cpuMillis: 8000, memoryBytes: 32 * GiB, diskBytes: 100 * GiB, gpus: [] }
const plain: Machine = { kinds: ['wasm'], hardware: { arch: 'x64', forJobs: FOR_JOBS } }
const withCard = (vendor: string, memoryBytes: number, count = 1): Machine => ({
  kinds: KINDS,
  hardware: { ...plain.hardware, forJobs: { ...FOR_JOBS, gpus: [{ vendor, memoryBytes, count }] } },
})
/** An RTX 4090 as its driver tells it. */
const rtx = withCard('nvidia', 24_564 * 2 ** 20)

function need(text: string) {
  const problems: string[] = []
  const read = parseNeed(text, KINDS, problems)
  assert.deepEqual(problems, [])
  assert.ok(read !== undefined)
  return read
}
const meets = (text: string, machine: Machine) => need(text).isMet(machine)

test('a need is met when each of its terms is', () => {
  assert.ok(meets('cores>=8, memory>=32GiB, disk>=50GB, arch=x64, kind=wasm', plain))
  for (const text of [
    'cores>=9',
    'memory>=33GiB',
    'disk>=1TB'.replace('1TB', '1000GB'),
    'arch=arm64',
  ])
    assert.ok(!meets(`cores>=1, ${text}`, plain), text)
  assert.ok(!meets('kind=docker', plain))
})

test('GPUs by maker, memory and number; a card sold with 24 GB is one, whatever its driver keeps', () => {
  for (const text of ['gpu', 'gpu.nvidia', 'gpu.nvidia>=16GB', 'gpu>=24GiB', 'gpus>=1'])
    assert.ok(meets(text, rtx), text)
  for (const text of ['gpu.amd', 'gpu>=32GiB', 'gpus>=2', 'gpu.nvidia>=16GB, gpu.amd'])
    assert.ok(!meets(text, rtx), text)
  assert.ok(!meets('gpu', plain))
})

test('machines whose operators let requesters in are found by a term and a tag of their own', () => {
  const open: Machine = { kinds: KINDS, hardware: { ...plain.hardware, attach: true } }
  const closed: Machine = { kinds: KINDS, hardware: { ...plain.hardware, attach: false } }
  assert.deepEqual(
    [open, closed, plain].map((each) => meets('attach', each)),
    [true, false, false],
  )
  assert.deepEqual(need('attach, kind=docker').tags, [['attach']])
  assert.deepEqual(
    [open, closed].map((each) => tagsOf(each).includes('attach')),
    [true, false],
  )
})

test('trusted execution, accelerators and instruction sets are terms too', () => {
  const { hardware } = plain
  const rich = {
    ...plain,
    hardware: {
      ...hardware,
      tees: ['sgx'],
      tpus: [{ model: 'v5e', count: 4 }],
      cpuFlags: ['avx2'],
    },
  }
  assert.ok(meets('tee=sgx, tpu, flag=avx2', rich))
  for (const text of ['tee=sgx', 'tpu', 'flag=avx2', 'fpga']) assert.ok(!meets(text, plain), text)
})

test('the search goes by what few have; where nothing such is named, by the kinds of jobs', () => {
  assert.deepEqual(need('kind=docker, gpu.nvidia>=16GB, cores>=2').tags, [['gpu.nvidia>=12']])
  assert.deepEqual(need('gpu.nvidia>=16GB, region=eu').tags, [['gpu.nvidia>=12'], ['region=eu']])
  assert.deepEqual(need('gpus>=2, gpu.amd').tags, [['gpu.amd']], 'each of these has a GPU')
  assert.deepEqual(need('kind=docker, gpu').tags, [['gpu']])
  assert.deepEqual(need('region=eu, kind=docker').tags, [['region=eu']])
  assert.deepEqual(need('cores>=2, kind=docker').tags, [['kind=docker']])
  assert.deepEqual(need('cores>=2').tags, [['kind=wasm', 'kind=docker']])
  assert.equal(need('fpga, tpu, tee=sgx, tee=tdx, gpu, region=eu').tags.length, 3)
})

test('a node that takes no jobs announces nothing and meets no need, whatever its machine has', () => {
  const { hardware } = rtx
  for (const idle of [
    { kinds: [], hardware },
    { kinds: [], hardware: { ...hardware, region: 'eu', tees: ['sgx'] } },
  ]) {
    assert.deepEqual(tagsOf(idle), [])
    for (const text of ['gpu', 'cores>=1', 'arch=x64']) assert.ok(!meets(text, idle), text)
  }
})

test('what the operator keeps from jobs is neither announced nor found', () => {
  const withheld = { ...rtx, hardware: { ...plain.hardware, gpus: ['a GPU of its own'] } }
  assert.deepEqual(tagsOf(withheld), ['kind=wasm', 'kind=docker'])
  assert.ok(!meets('gpu.nvidia', withheld))
  const half = { ...plain, hardware: { forJobs: { ...FOR_JOBS, cpuMillis: 1500 }, arch: 'x64' } }
  assert.ok(meets('cores>=1', half) && !meets('cores>=2', half))
  assert.ok(
    !meets('cores>=0', { kinds: KINDS, hardware: { arch: 'x64' } }),
    'it says nothing of it',
  )
})

test('whoever meets a need has announced a tag that the search for it goes by, of each group', () => {
  const size = fc.integer({ min: 0, max: 200 })
  const vendor = fc.constantFrom('nvidia', 'amd')
  const text = fc.oneof(
    fc
      .tuple(fc.constantFrom('gpu', 'gpu.nvidia', 'gpu.amd'), size)
      .map(([n, s]) => `${n}>=${s}GiB`),
    fc.constantFrom('gpu', 'cores>=4', 'kind=docker', 'gpus>=2', 'kind=wasm, gpu.amd'),
  )
  fc.assert(
    fc.property(text, vendor, size, fc.nat(3), (wanted, maker, gib, count) => {
      const machine = withCard(maker, gib * GiB, count + 1)
      const { tags, isMet } = need(wanted)
      if (isMet(machine))
        assert.ok(
          tags.every((group) => group.some((tag) => tagsOf(machine).includes(tag))),
          wanted,
        )
    }),
  )
})

test('what is no need is told with what would be one', () => {
  for (const text of [
    '',
    'cores',
    'cores>=many',
    'cpu>=4',
    'gpu.>=4',
    'kind=',
    'place=eu',
    'a'.repeat(300),
  ]) {
    const problems: string[] = []
    assert.equal(parseNeed(text, KINDS, problems), undefined, text)
    assert.ok(problems.length > 0)
  }
})

test('an offer looks for those who announced what it needs: the rarest thing that it names', () => {
  const ask = (changes: object) =>
    offerTags({ class: 'docker', gpus: 0, gpuVendor: '', gpuMemoryBytes: 0, ...changes })
  assert.deepEqual(ask({}), ['kind=docker'])
  assert.deepEqual(ask({ class: 'docker@ghcr.io' }), ['kind=docker'])
  assert.deepEqual(ask({ gpus: 2 }), ['gpu.nvidia', 'gpu.amd'])
  const sized = { gpus: 1, gpuVendor: 'nvidia', gpuMemoryBytes: 20 * GiB }
  assert.deepEqual(ask(sized), ['gpu.nvidia>=16'])
})

test('a region is a place and all that it is part of, by the word of its operator', () => {
  const there: Machine = { ...rtx, hardware: { ...rtx.hardware, region: 'eu-west-1' } }
  assert.ok(meets('gpu.nvidia>=16GB, region=eu', there))
  assert.ok(meets('region=eu-west', there) && meets('region=eu-west-1', there))
  for (const text of ['region=e', 'region=eu-west-2', 'region=us', 'region=west'])
    assert.ok(!meets(text, there), text)
  assert.ok(!meets('region=eu', rtx), 'who says nothing is nowhere')
  const tags = tagsOf(there)
  assert.deepEqual(
    tags.filter((tag) => tag.startsWith('region=')),
    ['region=eu', 'region=eu-west', 'region=eu-west-1'],
  )
})
