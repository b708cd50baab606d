import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import {
  WarmStock,
  type Stocked,
  type WarmStockOptions,
} from '../../../../node/adapters/docker/warm-stock.ts'
import { quietLogger, type LoggedLine } from '../../../support/quiet-logger.ts'

interface Thing extends Stocked {
  readonly kind: string
  isAlive: boolean
}

/** A stock of which every making is waited for, never slept for. */
class TestStock {
  readonly lines: LoggedLine[] = []
  readonly removed: string[] = []
  readonly stock: WarmStock<{ key: string; imageId: string }, Thing>
  readonly things: Thing[] = []
  failing = false
  #waiting: (() => void)[] = []

  constructor(options: Partial<WarmStockOptions>) {
    const logger = quietLogger(this.lines)
    this.stock = new WarmStock(
      {
        logger: {
          ...logger,
          debug: () => this.#tell(),
          warn: (message, data) => {
            logger.warn(message, data)
            this.#tell()
          },
        },
        make: async ({ key }) => {
          if (this.failing) throw new TypeError('no')
          const thing = {
            kind: key,
            isAlive: true,
            [Symbol.asyncDispose]: async () => {
              this.removed.push(key)
            },
          }
          this.things.push(thing)
          return thing
        },
      },
      { most: 4, restockMs: 0, leastFreeBytes: 0, ...options },
    )
  }

  get made(): number {
    return this.things.length
  }

  /** Uses a kind `times`; what the last use got. */
  use(key: string, times = 1): Thing | undefined {
    let got: Thing | undefined
    for (let at = 0; at < times; at++) got = this.stock.take({ key, imageId: `image of ${key}` })
    return got
  }

  /** Until `count` more were made, or failed to be. */
  async until(count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #tell(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

let open: TestStock[] = []

function stockOf(options: Partial<WarmStockOptions> = {}): TestStock {
  const made = new TestStock(options)
  open.push(made)
  return made
}

/** All that is due by now has been begun. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5))
}

afterEach(async () => {
  for (const each of open) await each.stock[Symbol.asyncDispose]()
  open = []
})

test('a kind used once has nothing made; its second use has one made for the third', async () => {
  const stock = stockOf()
  assert.equal(stock.use('a'), undefined)
  await turn()
  assert.equal(stock.made, 0)
  assert.equal(stock.use('a'), undefined)
  await stock.until(1)
  assert.equal(stock.use('b'), undefined, 'another kind gets none of it')
  assert.equal(stock.use('a')?.kind, 'a')
})

test('a kind used more often has more, up to its most', async () => {
  const stock = stockOf({ mostOfKind: 2 })
  stock.use('a', 100)
  await stock.until(2)
  await turn()
  assert.equal(stock.made, 2)
})

test('one that is no longer alive is removed and never given', async () => {
  const stock = stockOf({ mostOfKind: 1 })
  stock.use('a', 2)
  await stock.until(1)
  for (const thing of stock.things) thing.isAlive = false
  assert.equal(stock.use('a'), undefined)
  await stock.until(1)
  assert.deepEqual(stock.removed, ['a'])
  assert.equal(stock.use('a')?.isAlive, true)
})

test('when the stock is full, the first of a kind takes the place of the kind unused for longest', async () => {
  const stock = stockOf({ most: 2, mostOfKind: 2 })
  stock.use('a', 2)
  await stock.until(1)
  stock.use('b', 2)
  await stock.until(1)
  stock.use('c', 2)
  await stock.until(1)
  await turn()
  assert.deepEqual(stock.removed, ['a'])
  assert.equal(stock.made, 3)
  assert.equal(stock.use('a'), undefined)
})

test('a kind that has one takes no place of another', async () => {
  const stock = stockOf({ most: 2 })
  stock.use('a', 2)
  await stock.until(1)
  stock.use('b', 20)
  await stock.until(1)
  await turn()
  assert.deepEqual(stock.removed, [])
  assert.equal(stock.made, 2)
})

test('what was not used lately is removed, and its uses are forgotten', async () => {
  const stock = stockOf({ latelyMs: 30 })
  stock.use('a', 2)
  await stock.until(1)
  while (stock.removed.length === 0) await turn()
  assert.equal(stock.use('a'), undefined)
  await turn()
  assert.equal(stock.made, 1)
})

test('a kind that none can be made of is not tried again, and the log says why', async () => {
  const stock = stockOf()
  stock.failing = true
  stock.use('a', 2)
  await stock.until(1)
  stock.failing = false
  stock.use('a', 4)
  await turn()
  assert.equal(stock.made, 0)
  assert.equal(stock.lines[0]?.level, 'warn')
  assert.match(String(stock.lines[0]?.data['said']), /no/)
})

test('giving up an image removes what was made of it, and no other', async () => {
  const stock = stockOf()
  stock.use('a', 2)
  await stock.until(1)
  stock.use('b', 2)
  await stock.until(1)
  await stock.stock.forgetImage('image of a')
  assert.deepEqual(stock.removed, ['a'])
})

test('disposal removes what waits, waits for what is being made, and gives nothing more', async () => {
  const stock = stockOf()
  stock.use('a', 2)
  await stock.until(1)
  stock.use('b', 2)
  await turn()
  await stock.stock[Symbol.asyncDispose]()
  assert.equal(stock.removed.length, stock.made)
  assert.equal(stock.use('a'), undefined)
})

test('a machine without memory to spare has none made', async () => {
  const stock = stockOf({ leastFreeBytes: Number.MAX_SAFE_INTEGER })
  stock.use('a', 10)
  await turn()
  assert.equal(stock.made, 0)
})
