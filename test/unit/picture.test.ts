import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { PNG } from 'pngjs'
import { encodePng, joinTiles, MAX_SIDE_PX } from '../../scripts/demo/picture.ts'

interface Place {
  readonly at: readonly [x: number, y: number]
  readonly size: readonly [width: number, height: number]
  readonly of?: readonly [width: number, height: number]
}

/** A tile whose every pixel holds its own place in the picture: x, y, 7. */
function aTile({ at: [x, y], size: [width, height], of = [6, 4] }: Place): Uint8Array {
  const pixels: number[] = []
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) pixels.push(column, row, 7)
  }
  return withHeader(`TILE ${x} ${y} ${width} ${height} ${of[0]} ${of[1]}\n`, pixels)
}

function withHeader(header: string, pixels: readonly number[]): Uint8Array {
  return Uint8Array.from([...Buffer.from(header, 'latin1'), ...pixels])
}

const quarters = (): Uint8Array[] => [
  aTile({ at: [0, 0], size: [4, 3] }),
  aTile({ at: [4, 0], size: [2, 3] }),
  aTile({ at: [0, 3], size: [4, 1] }),
  aTile({ at: [4, 3], size: [2, 1] }),
]

function refused(tiles: Iterable<Uint8Array>): void {
  assert.throws(() => joinTiles(tiles), { name: 'HiveError', code: 'TILE_INVALID' })
}

test('tiles of unequal sizes: every pixel lands in its place', () => {
  const picture = joinTiles(quarters())
  assert.equal(picture.width, 6)
  assert.equal(picture.height, 4)
  assert.deepEqual(picture.rgb, aTile({ at: [0, 0], size: [6, 4] }).subarray(-6 * 4 * 3))
})

test('the order in which tiles arrive does not change the picture', () => {
  assert.deepEqual(joinTiles(quarters().reverse()), joinTiles(quarters()))
})

test('a tile that sits inside a larger buffer is read from its own start', () => {
  const whole = aTile({ at: [0, 0], size: [6, 4] })
  const buffer = new Uint8Array(whole.length + 20)
  buffer.set(whole, 11)
  const inside = buffer.subarray(11, 11 + whole.length)
  assert.deepEqual(joinTiles([inside]), joinTiles([whole]))
})

test('no tiles at all: refused, there is no picture', () => {
  refused([])
})

test('a missing tile leaves a gap: refused', () => {
  for (let missing = 0; missing < 4; missing++) {
    refused(quarters().filter((_, index) => index !== missing))
  }
})

test('the same tile twice: refused as an overlap', () => {
  const [first, ...rest] = quarters()
  assert.ok(first)
  refused([first, first, ...rest])
})

test('an overlap that hides a gap of the same area: refused', () => {
  refused([aTile({ at: [0, 0], size: [4, 4] }), aTile({ at: [3, 0], size: [2, 4] })])
})

test('tiles that overlap by one pixel: refused', () => {
  refused([...quarters(), aTile({ at: [5, 3], size: [1, 1] })])
})

test('tiles of pictures of different sizes: refused', () => {
  const [first, ...rest] = quarters()
  assert.ok(first)
  refused([aTile({ at: [0, 0], size: [4, 3], of: [6, 5] }), ...rest])
})

test('a tile that reaches over an edge of the picture: refused', () => {
  refused([aTile({ at: [1, 0], size: [6, 4] })])
  refused([aTile({ at: [0, 1], size: [6, 4] })])
})

test('one byte short or one byte over: refused', () => {
  const whole = aTile({ at: [0, 0], size: [6, 4] })
  refused([whole.subarray(0, -1)])
  refused([Uint8Array.from([...whole, 0])])
})

test('a header in any other spelling: refused', () => {
  const pixel = [1, 2, 3]
  const headers = [
    '',
    '\n',
    'TILE 0 0 1 1 1 1',
    'TILE 0 0 1 1 1 1\r\n',
    'tile 0 0 1 1 1 1\n',
    'TILE 0 0 1 1 1\n',
    'TILE 0 0 1 1 1 1 1\n',
    'TILE  0 0 1 1 1 1\n',
    'TILE 0 0 1 1 1 1 \n',
    'TILE 0 0 01 1 1 1\n',
    'TILE -0 0 1 1 1 1\n',
    'TILE 0 0 1.0 1 1 1\n',
    'TILE 0 0 1e0 1 1 1\n',
    'TILE 0 0 0x1 1 1 1\n',
    'TILE 0 0 \u00b9 1 1 1\n',
    'P6 1 1 255\n',
  ]
  for (const header of headers) refused([withHeader(header, pixel)])
  assert.deepEqual([...joinTiles([withHeader('TILE 0 0 1 1 1 1\n', pixel)]).rgb], pixel)
})

test('an empty tile: refused, it covers nothing', () => {
  refused([withHeader('TILE 0 0 0 4 6 4\n', []), ...quarters()])
})

test('a header that claims a vast picture: refused before any memory is taken for it', () => {
  refused([aTile({ at: [0, 0], size: [1, 1], of: [MAX_SIDE_PX + 1, 1] })])
  refused([aTile({ at: [0, 0], size: [1, 1], of: [MAX_SIDE_PX, MAX_SIDE_PX] })])
  refused([withHeader(`TILE 0 0 1 1 ${'9'.repeat(400)} 1\n`, [1, 2, 3])])
})

test('png: begins with the signature and reads back as the same pixels', () => {
  const picture = joinTiles(quarters())
  const file = encodePng(picture)
  assert.deepEqual([...file.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const read = PNG.sync.read(Buffer.from(file))
  assert.deepEqual([read.width, read.height], [6, 4])
  const rgb = [...read.data].filter((_, index) => index % 4 !== 3)
  assert.deepEqual(rgb, [...picture.rgb])
  assert.ok([...read.data].every((byte, index) => index % 4 !== 3 || byte === 255))
})
