import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MESSAGES, type MessageName } from '../../node/protocol/messages.ts'
import type { Field } from '../../node/protocol/schema.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DOCS = join(ROOT, 'docs/protocol')
/** Where each message is described. */
const MESSAGE_DOCS: Readonly<Record<MessageName, string>> = {
  Advert: 'adverts',
  Offer: 'offers',
  Bid: 'bids',
  BondOffer: 'bids',
  Agreement: 'agreements',
  Award: 'agreements',
  Heartbeat: 'heartbeats',
  Receipt: 'receipts',
  Voucher: 'vouchers',
}

const read = (path: string) => readFileSync(path, 'utf8')
const docOf = (name: string) => read(join(DOCS, `${name}.md`))

/** Rules as `offers R1 reject`, from the comments over the code that enforces them. */
function rulesOfSource(text: string): string[] {
  const comments = text.matchAll(/\/\/ \[(REJECT|IGNORE)\] (\w+) (R\d+): /g)
  return [...comments].map(
    ([, verdict = '', doc, rule]) => `${doc} ${rule} ${verdict.toLowerCase()}`,
  )
}

/** Rules as `offers R1 reject`, from the rows of a doc. */
function rulesOfDoc(name: string, text: string): string[] {
  const rows = text.matchAll(/^\| (R\d+) +\| (\w+) +\| \S.* \| \S.* \|$/gm)
  return [...rows].map(([, rule, verdict]) => `${name} ${rule} ${verdict}`)
}

/** The fields under a heading, as `type name`. */
function fieldsOfDoc(text: string, heading: string): string[] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const rows = section.matchAll(/^\| `(\w+)` +\| ([\w[\]]+) +\| \S.* \|$/gm)
  return [...rows].map(([, name, type]) => `${type} ${name}`)
}

const sources = readdirSync(join(ROOT, 'node'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => read(join(ROOT, 'node', path)))
const docs = readdirSync(DOCS).map((file) => file.replace(/\.md$/, ''))
const fromDocs = docs.flatMap((name) => rulesOfDoc(name, docOf(name)))
const fromSources = sources.flatMap(rulesOfSource)

test('every rule that the code enforces is in the docs with its verdict, and the reverse', () => {
  assert.ok(fromSources.length >= 40)
  assert.deepEqual([...new Set(fromSources)].sort(), [...fromDocs].sort())
})

test('rules are enforced in one place each, and numbered from R1 without gaps', () => {
  assert.equal(new Set(fromSources).size, fromSources.length)
  for (const name of new Set(Object.values(MESSAGE_DOCS))) {
    const numbers = rulesOfDoc(name, docOf(name)).map((rule) => Number(/R(\d+)/.exec(rule)?.[1]))
    assert.deepEqual(
      numbers,
      numbers.map((_, at) => at + 1),
      name,
    )
  }
})

test('a rule without a doc, and a doc without a rule, would be seen', () => {
  assert.deepEqual(rulesOfSource('  // [IGNORE] offers R9: something\n'), ['offers R9 ignore'])
  assert.deepEqual(rulesOfDoc('offers', '| R9   | ignore  | is so | because |\n'), [
    'offers R9 ignore',
  ])
  assert.deepEqual(rulesOfDoc('offers', '| R9   | ignore  | is so |\n'), [])
})

test('every field of every message is described, with its type, in signing order', () => {
  for (const [name, doc] of Object.entries(MESSAGE_DOCS)) {
    const { fields } = MESSAGES[name as MessageName]
    const expected = Object.entries(fields as Record<string, Field<unknown>>)
    assert.deepEqual(
      fieldsOfDoc(docOf(doc), name),
      expected.map(([field, { solidity }]) => `${solidity} ${field}`),
      name,
    )
  }
})

test('constants that the docs name exist, and so do the docs that the code names', () => {
  const code = sources.join('\n')
  for (const name of docs)
    for (const [, constant = ''] of docOf(name).matchAll(/`([A-Z][A-Z]+_[A-Z_]+)`/g))
      assert.match(code, new RegExp(`\\b${constant}\\b`), `${name}: ${constant}`)
  for (const [, name = ''] of code.matchAll(/docs\/protocol\/(\w+)\.md/g))
    assert.ok(docs.includes(name), name)
})
