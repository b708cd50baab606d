/** A line of a chart. */
export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Chart {
  readonly title: string
  readonly x: string
  readonly y: string
  /** Whether every step along x is ten times the one before. */
  readonly logX: boolean
  readonly series: readonly Series[]
}

const WIDTH = 640
const HEIGHT = 300
const MARGIN = { left: 70, right: 150, top: 40, bottom: 45 }
const COLOURS = ['#1f4e79', '#c0504d', '#4f8f4f', '#8064a2', '#d08a2e', '#3a9ea5'] as const
const TICKS = 4

/** The charts, one below the other, as one SVG. */
export function svgOf(charts: readonly Chart[]): string {
  const height = charts.length * HEIGHT
  const drawn = charts.map(
    (chart, at) => `<g transform="translate(0 ${at * HEIGHT})">${draw(chart)}</g>`,
  )
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11">`
  return `${open}\n<rect width="100%" height="100%" fill="white"/>\n${drawn.join('\n')}\n</svg>\n`
}

function draw({ title, x, y, logX, series }: Chart): string {
  const points = series.flatMap((each) => each.points)
  const scaled = (value: number) => (logX ? Math.log10(value) : value)
  const xs = points.map(([value]) => scaled(value))
  const [left, right] = [Math.min(...xs), Math.max(...xs)]
  const top = Math.max(...points.map(([, value]) => value), 0) * 1.1 || 1
  const inner = { w: WIDTH - MARGIN.left - MARGIN.right, h: HEIGHT - MARGIN.top - MARGIN.bottom }
  const atX = (value: number) =>
    MARGIN.left + ((scaled(value) - left) / (right - left || 1)) * inner.w
  const atY = (value: number) => MARGIN.top + inner.h - (value / top) * inner.h
  const base = MARGIN.top + inner.h
  const marks = Array.from({ length: TICKS + 1 }, (_, at) => {
    const across = left + ((right - left) * at) / TICKS
    const [vx, vy] = [logX ? 10 ** across : across, (top * at) / TICKS]
    return (
      text(atX(vx), base + 16, short(vx), 'middle') +
      text(MARGIN.left - 6, atY(vy) + 4, short(vy), 'end') +
      `<line x1="${MARGIN.left}" x2="${MARGIN.left + inner.w}" y1="${atY(vy)}" y2="${atY(vy)}" stroke="#ddd"/>`
    )
  })
  const lines = series.map(({ name, points: own }, at) => {
    const colour = COLOURS[at % COLOURS.length]
    const path = own.map(([px, py]) => `${atX(px).toFixed(1)},${atY(py).toFixed(1)}`).join(' ')
    const label = text(WIDTH - MARGIN.right + 12, MARGIN.top + 14 * at + 8, name, 'start', colour)
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>${label}`
  })
  const heads = [
    text(MARGIN.left, 22, title, 'start', '#000', 14),
    text(MARGIN.left + inner.w / 2, HEIGHT - 10, x, 'middle'),
    `<g transform="rotate(-90 16 ${MARGIN.top + inner.h / 2})">${text(16, MARGIN.top + inner.h / 2, y, 'middle')}</g>`,
  ]
  return [...marks, ...lines, ...heads].join('')
}

function text(
  x: number,
  y: number,
  words: string,
  anchor: string,
  fill = '#333',
  size = 11,
): string {
  const safe = words.replace(/[<>&]/g, ' ')
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${fill}" font-size="${size}">${safe}</text>`
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}
