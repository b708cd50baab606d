import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as advert from '../../node/domain/advert.ts'
import * as bid from '../../node/domain/bid.ts'
import * as challenge from '../../node/domain/challenge.ts'
import * as metering from '../../node/domain/metering.ts'
import * as offer from '../../node/domain/offer.ts'
import { parseBytes, parseDuration } from '../../node/domain/units.ts'
import * as limits from '../../node/protocol/limits.ts'
import * as attach from '../../node/protocol/attach.ts'
import { PROTOCOLS } from '../../node/protocol/protocols.ts'
import * as prover from '../../node/services/challenge/prover.ts'
import * as budget from '../../node/services/provider/attach-budget.ts'
import * as intake from '../../node/services/provider/intake-limits.ts'

const doc = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8')

/** The cells of each row under a heading, without the two rows of the table's head. */
function rowsUnder(heading: string): string[][] {
  const section = doc.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** A constant's value as the doc writes it, read back. */
function valueOf(name: string, text: string): number | undefined {
  if (name.endsWith('_MS')) return parseDuration(text)
  return parseBytes(text)
}

function constants(...modules: object[]): [string, number][] {
  const all = modules.flatMap((module) => Object.entries(module) as [string, unknown][])
  return all.filter((entry): entry is [string, number] => typeof entry[1] === 'number')
}

function compare(heading: string, expected: readonly [string, number][]): void {
  const told = rowsUnder(heading).map(([name = '', value = '']): [string, number | undefined] => {
    const constant = name.replaceAll('`', '')
    return [constant, valueOf(constant, value)]
  })
  const order = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
    a < b ? -1 : 1
  assert.deepEqual(told.sort(order), [...expected].sort(order))
}

test('the limits of messages and content are those of the source', () => {
  compare('Messages and content', constants(limits))
})

test('the limits of the market are those of the source', () => {
  compare('Market', constants(offer, bid, advert, metering, intake))
})

test('the limits inside running jobs are those of the source', () => {
  compare('Inside running jobs', constants(budget, attach))
})

test('the limits of challenges are those of the source', () => {
  compare('Challenges', constants(challenge, prover))
})

test('the table of protocols is that of the source', () => {
  const told = rowsUnder('Direct protocols').map(
    ([name = '', id = '', request = '', answer = '', time = '', quota = '', streams = '']) => [
      name.replaceAll('`', ''),
      {
        id: id.replaceAll('`', ''),
        maxRequestBytes: parseBytes(request),
        maxResponseBytes: parseBytes(answer),
        timeoutMs: parseDuration(time),
        perPeerPerMinute: Number(quota),
        streams: streams === 'both' ? streams : streams === 'yes',
      },
    ],
  )
  assert.deepEqual(Object.fromEntries(told), PROTOCOLS)
})
