import { idleFigures } from '../sim/report/idle.ts'
import { figure, MB, type Figure } from './figures.ts'

const NODES = 1000

/** What a node sends in an hour in which nobody asks for anything, from the simulator; docs/simulator.md. */
export async function idleGossipFigure(): Promise<Figure> {
  const all = await idleFigures(NODES, 1)
  const sum = (gossip: boolean) =>
    all
      .filter((each) => each.gossip === gossip)
      .reduce((bytes, { bytesPerHour }) => bytes + bytesPerHour, 0) / MB
  const note = `and ${sum(false).toFixed(1)} MB of the libraries for the DHT and connections`
  return figure('idle gossip of a node among 1,000, an hour', sum(true), 'MB', NODES, note)
}
