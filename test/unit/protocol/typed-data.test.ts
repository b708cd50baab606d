import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '../../../node/domain/ids.ts'
import { fromHex, toHex } from '../../../node/protocol/bytes.ts'
import { createEnvelopeCodec } from '../../../node/protocol/envelope.ts'
import { MESSAGES, type MessageName, type Messages } from '../../../node/protocol/messages.ts'
import type { Field } from '../../../node/protocol/schema.ts'
import { recoverSignatory, signDigest } from '../../../node/protocol/signature.ts'
import {
  digestOf,
  domainSeparator,
  structHash,
  taskListHash,
} from '../../../node/protocol/typed-data.ts'
import { anAdvert, aVoucher } from '../../support/messages.ts'
import file from '../../vectors/typed-data.json' with { type: 'json' }

interface Vector {
  readonly type: MessageName
  readonly typeString: string
  readonly value: Readonly<Record<string, unknown>>
  readonly domain: { readonly chainId: number; readonly verifyingContract: Hex }
  readonly structHash: Hex
  readonly digest: Hex
  readonly privateKey: Hex
  readonly signer: Hex
  readonly signature: Hex
}

const NAMES = Object.keys(MESSAGES) as MessageName[]
const vectors = (file.vectors as readonly { readonly type: string }[]).filter(({ type }) =>
  Object.hasOwn(MESSAGES, type),
) as unknown as readonly Vector[]
const fieldsOf = (name: MessageName) =>
  Object.entries(MESSAGES[name].fields as Record<string, Field<unknown>>)

/** The vector's value with the types that the node uses for each field. */
function messageOf({ type, value }: Vector): Messages[MessageName] {
  const entries = fieldsOf(type).map(([key, { solidity }]) => [key, typed(value[key], solidity)])
  return Object.fromEntries(entries) as Messages[MessageName]
}

function typed(value: unknown, solidity: string): unknown {
  if (Array.isArray(value)) return value.map((each) => typed(each, solidity.slice(0, -2)))
  if (!solidity.startsWith('uint') || typeof value !== 'string') return value
  const exact = Number(solidity.slice('uint'.length)) <= 64 && Number.isSafeInteger(Number(value))
  return exact ? Number(value) : BigInt(value)
}

/** The message cut to what the wire carries: exact numbers, and texts of a list within their limit. */
function onTheWire(vector: Vector): Messages[MessageName] {
  const entries = Object.entries(messageOf(vector))
  const wire = entries.map(([key, value]) => [key, cut(value, vector.type, key)])
  return Object.fromEntries(wire) as Messages[MessageName]
}

function cut(value: unknown, type: MessageName, key: string): unknown {
  const solidity = new Map(fieldsOf(type)).get(key)?.solidity
  if (solidity === 'string[]') return (value as string[]).map((each) => each.slice(0, 32))
  return solidity === 'uint64' ? Number(BigInt.asUintN(53, BigInt(value as bigint))) : value
}

const domainOf = ({ domain }: Vector) => ({
  chainId: domain.chainId,
  escrow: domain.verifyingContract,
})

test('every message has vectors: usual, least, most and of another chain', () => {
  for (const name of NAMES)
    assert.equal(vectors.filter(({ type }) => type === name).length, 4, name)
})

test('the fields of each message are those of its EIP-712 type, in its order', () => {
  for (const { type, typeString } of vectors) {
    const fields = fieldsOf(type).map(([key, { solidity }]) => `${solidity} ${key}`)
    assert.equal(`${type}(${fields.join(',')})`, typeString)
  }
})

test('each vector: the struct hash, the digest, the signature and its signer', () => {
  for (const vector of vectors) {
    const hash = structHash(vector.type, messageOf(vector))
    assert.equal(hash, vector.structHash, vector.type)
    const digest = digestOf(domainSeparator(domainOf(vector)), hash)
    assert.equal(toHex(digest), vector.digest, vector.type)
    const signature = signDigest(digest, fromHex(vector.privateKey))
    assert.equal(toHex(signature), vector.signature, vector.type)
    assert.equal(recoverSignatory(digest, fromHex(vector.signature)).address, vector.signer)
  }
})

test('each vector goes into an envelope and comes out the same, with the same id and signer', () => {
  for (const vector of vectors) {
    const codec = createEnvelopeCodec(domainOf(vector))
    const message = onTheWire(vector)
    const sealed = codec.seal(vector.type, message, (digest) =>
      signDigest(digest, fromHex(vector.privateKey)),
    )
    const opened = codec.open(vector.type, sealed.bytes)
    assert.deepEqual(opened.message, message)
    assert.equal(opened.id, structHash(vector.type, message))
    assert.equal(opened.signatories[0]?.address, vector.signer)
    assert.deepEqual(opened.bytes, sealed.bytes)
  }
})

test('what no peer would take is refused before it is signed', () => {
  const codec = createEnvelopeCodec({ chainId: 1, escrow: `0x${'00'.repeat(20)}` })
  const refused = <N extends MessageName>(name: N, message: Messages[N]) =>
    assert.throws(() => codec.seal(name, message, () => assert.fail('signed')), {
      code: 'MESSAGE_MALFORMED',
    })
  refused('Voucher', aVoucher({ jobs: 2 ** 53 }))
  refused('Voucher', aVoucher({ cumulative: 2n ** 96n }))
  refused('Voucher', aVoucher({ cumulative: -1n }))
  refused('Voucher', aVoucher({ channel: '0x00' }))
  refused('Advert', anAdvert({ seq: 1.5 }))
  refused('Advert', anAdvert({ hardware: 'x'.repeat(4097) }))
  refused('Advert', anAdvert({ kinds: Array.from({ length: 17 }, () => 'k') }))
})

test('an award’s task list hashes as the uint32[] member of its vector', () => {
  assert.equal(
    taskListHash([]),
    '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
  )
  assert.notEqual(taskListHash([0, 1]), taskListHash([1, 0]))
  assert.notEqual(taskListHash([1]), taskListHash([0, 1]))
})
