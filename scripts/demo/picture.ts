import { PNG } from 'pngjs'
import { HiveError } from '../../node/domain/errors.ts'

/** 8-bit sRGB, three bytes a pixel, rows from the top. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly rgb: Uint8Array
}

interface Tile extends Picture {
  readonly x: number
  readonly y: number
  readonly pictureWidth: number
  readonly pictureHeight: number
}

/** Largest side of a picture, pixels: the path tracer renders no larger. */
export const MAX_SIDE_PX = 8192
/** Largest picture, pixels: 48 MiB of memory, more than any demo needs. */
export const MAX_PICTURE_PX = 16 * 1024 * 1024
/** Longest header, bytes: the word, six numbers of four digits, their spaces and the newline. */
const MAX_HEADER_BYTES = 4 + 6 * 5 + 1

const HEADER = /^TILE (0|[1-9]\d*) (0|[1-9]\d*) ([1-9]\d*) ([1-9]\d*) ([1-9]\d*) ([1-9]\d*)$/

function invalid(why: string): HiveError {
  return new HiveError('TILE_INVALID', { why })
}

function parseTile(bytes: Uint8Array): Tile {
  const end = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a)
  if (end < 0) throw invalid('no header line')
  const fields = HEADER.exec(String.fromCharCode(...bytes.subarray(0, end)))
  if (fields === null) throw invalid('not a tile header')
  const [x = 0, y = 0, width = 0, height = 0, pictureWidth = 0, pictureHeight = 0] = fields
    .slice(1)
    .map(Number)
  if (pictureWidth > MAX_SIDE_PX || pictureHeight > MAX_SIDE_PX) throw invalid('picture too large')
  if (pictureWidth * pictureHeight > MAX_PICTURE_PX) throw invalid('picture too large')
  if (x + width > pictureWidth || y + height > pictureHeight) throw invalid('outside the picture')
  const rgb = bytes.subarray(end + 1)
  if (rgb.length !== width * height * 3) throw invalid('pixels do not match the size')
  return { x, y, width, height, pictureWidth, pictureHeight, rgb }
}

/**
 * The picture the tiles make up, in whatever order they come. Every pixel must be covered exactly
 * once and all tiles must belong to a picture of the same size.
 * @throws {HiveError} `TILE_INVALID`: a tile is malformed, or they overlap, leave a gap or disagree.
 */
export function joinTiles(tiles: Iterable<Uint8Array>): Picture {
  let picture: Picture | undefined
  let covered = new Uint8Array()
  let missing = 0
  for (const bytes of tiles) {
    const tile = parseTile(bytes)
    if (picture === undefined) {
      const { pictureWidth: width, pictureHeight: height } = tile
      picture = { width, height, rgb: new Uint8Array(width * height * 3) }
      covered = new Uint8Array(width * height)
      missing = covered.length
    }
    if (tile.pictureWidth !== picture.width || tile.pictureHeight !== picture.height) {
      throw invalid('tiles of pictures of different sizes')
    }
    for (let row = 0; row < tile.height; row++) {
      const at = (tile.y + row) * picture.width + tile.x
      if (covered.subarray(at, at + tile.width).includes(1)) throw invalid('tiles overlap')
      covered.fill(1, at, at + tile.width)
      const line = row * tile.width * 3
      picture.rgb.set(tile.rgb.subarray(line, line + tile.width * 3), at * 3)
    }
    missing -= tile.width * tile.height
  }
  if (picture === undefined) throw invalid('no tiles')
  if (missing > 0) throw invalid('a gap between tiles')
  return picture
}

/** The picture as an opaque 8-bit RGB PNG file. */
export function encodePng(picture: Picture): Uint8Array {
  const { width, height, rgb } = picture
  const png = new PNG({ width, height, colorType: 2, inputColorType: 2, inputHasAlpha: false })
  png.data = Buffer.from(rgb.buffer, rgb.byteOffset, rgb.byteLength)
  return PNG.sync.write(png, { colorType: 2, inputColorType: 2, inputHasAlpha: false })
}
