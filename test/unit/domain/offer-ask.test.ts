import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askFault, askOf, pickAsk } from '../../../node/domain/offer-ask.ts'
import { anOffer, aSpec, bytes32Of } from '../../support/messages.ts'

const IMAGE = bytes32Of('1a')

test('what an offer says of its spec is what the spec asks for', () => {
  const spec = aSpec({
    kind: 'docker',
    gpus: { count: 2, vendor: 'amd', memoryBytes: 5 },
    egress: ['example.org:443'],
  })
  const ask = askOf(spec, IMAGE)
  assert.equal(askFault(pickAsk(anOffer({ ...ask })), ask), undefined)
})

test('a spec that asks for anything else is told by the field, also where it asks for less', () => {
  const offered = pickAsk(anOffer({ ...askOf(aSpec({ kind: 'docker' }), IMAGE) }))
  const fault = (changes: Parameters<typeof aSpec>[0], image = IMAGE) =>
    askFault(offered, askOf(aSpec({ kind: 'docker', ...changes }), image))
  assert.equal(fault({}), undefined)
  assert.equal(fault({}, bytes32Of('2b')), 'image')
  assert.equal(fault({ kind: 'wasm' }), 'class')
  assert.equal(fault({ gpus: { count: 1 } }), 'gpus')
  assert.equal(fault({ egress: ['example.org:443'] }), 'egress')
  assert.equal(fault({ timeoutMs: 1 }), 'taskTimeoutMs')
  assert.equal(
    fault({ resources: { cpuMillis: 1, memoryBytes: 64 * 2 ** 20, diskBytes: 2 ** 24 } }),
    'cpuMillis',
  )
})
