import type { IdleFigure } from './idle.ts'

const KB = 1e3

/** What an idle node sends in an hour and in a day, gossip first. */
export function idleTableOf(nodes: number, figures: readonly IdleFigure[]): string {
  const sum = (gossip: boolean) =>
    figures
      .filter((each) => each.gossip === gossip)
      .reduce((bytes, { bytesPerHour }) => bytes + bytesPerHour, 0)
  const rows: readonly (readonly [string, number])[] = [
    ...figures.map(({ name, bytesPerHour }) => [name, bytesPerHour] as const),
    ['gossip together', sum(true)],
    ['upkeep of the DHT and of connections together', sum(false)],
  ]
  const lines = rows.map(([name, bytes]) => {
    const [hourly, daily] = [bytes, 24 * bytes].map((each) => (each / KB).toFixed(0).padStart(9))
    return `${name.padEnd(46)}${hourly}${daily}`
  })
  const head = `an idle node among ${nodes}, sent`.padEnd(46)
  return `${head}${'KB/h'.padStart(9)}${'KB/24 h'.padStart(9)}\n${lines.join('\n')}\n`
}
