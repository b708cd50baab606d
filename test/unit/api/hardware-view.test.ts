import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { HardwareBody } from '../../../node/api/schemas/hardware.ts'
import { hardwareOf, hardwareView } from '../../../node/api/views/hardware-view.ts'
import { TEST_HARDWARE } from '../../support/test-market.ts'

const told = (changes: object): string => JSON.stringify({ ...TEST_HARDWARE, ...changes })

test('hardware: a stranger’s text is taken as it is meant, without what the schema does not know', () => {
  const gpus = [{ vendor: 'nvidia', model: 'NVIDIA H100', memoryBytes: 80e9, count: 8 }]
  const networkLinks = [{ kind: 'ethernet', speedMbps: 400_000, count: 2 }]
  const known = { ...TEST_HARDWARE, gpus, networkLinks, tees: ['sgx'], cpuFlags: ['avx2'] }
  assert.deepEqual(hardwareOf(JSON.stringify(known)), known)
  assert.deepEqual(hardwareOf(told({ evil: 1, sandboxes: { wasm: 'x', 'A B': 'y' } })), {
    ...TEST_HARDWARE,
    sandboxes: { wasm: 'x' },
  })
})

for (const [what, text] of Object.entries({
  'not JSON': 'not json',
  null: 'null',
  'a list': '[]',
  'nothing of it': '{}',
  'deeper than anything': `${'['.repeat(2000)}${']'.repeat(2000)}`,
  'too long': told({ more: 'x'.repeat(4096) }),
  'a terminal sequence in a name': told({ cpuModel: '\u001B[2Jgone' }),
  'a line break in a name': told({ cpuModel: 'two\nlines' }),
  'a name that runs backwards': told({ gpus: [{ vendor: '', model: '\u202Eabc', count: 1 }] }),
  'accents piled on one letter': told({ arch: `a${'\u0301'.repeat(10)}` }),
  'a huge name': told({ cpuModel: 'x'.repeat(81) }),
  'a huge isolation': told({ sandboxes: { wasm: 'x'.repeat(81) } }),
  'an isolation in colour': told({ sandboxes: { wasm: '\u001B[31m' } }),
  'more cards than a list may have': told({
    gpus: Array.from({ length: 33 }, () => ({ vendor: '', model: '', count: 1 })),
  }),
  'cards by name only': told({ gpus: ['NVIDIA H100'] }),
  'cores that are no number': told({ cores: 'many' }),
  'half a core': told({ cores: 0.5 }),
  'more cores than there are': told({ cores: 1e9 }),
  'less than no memory': told({ memoryBytes: -1 }),
  'memory beyond counting': told({ memoryBytes: 1e300 }),
})) {
  test(`hardware: ${what} is not shown`, () => {
    assert.equal(hardwareOf(text), undefined)
  })
}

test('hardware: a key that means something to JavaScript is only left out', () => {
  const text = told({}).replace(
    '"sandboxes":{',
    '"__proto__":{"a":1},"sandboxes":{"__proto__":"b",',
  )
  assert.deepEqual(hardwareOf(text), TEST_HARDWARE)
  assert.equal(Object.hasOwn(Object.prototype, 'a'), false)
})

test('hardware: this node’s own fits the same schema', () => {
  assert.ok(Value.Check(HardwareBody, hardwareView(TEST_HARDWARE)))
})
