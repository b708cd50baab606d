import { DRIFT_KINDS, type Drift, type DriftKind } from '../../services/drift.ts'
import type { View } from '../../services/visibility.ts'
import type { Relaying } from '../../ports/directory.ts'
import type { Moment } from '../../services/monitoring/monitor.ts'

/** Version of the text format, as scrapers ask for it. */
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** One number, with what it is of. */
interface Point {
  readonly value: number | undefined
  readonly labels?: Readonly<Record<string, string>>
}

/** What the node does now, as Prometheus reads it. What is not known has no line. */
export function prometheusText(
  { machine, tasks }: Moment,
  node: {
    readonly startedAt: number
    readonly peers: number
    readonly relaying: Relaying
    readonly waiting: number
    readonly driftOf: (kind: DriftKind) => Drift
    readonly visibility?: View | undefined
  },
): string {
  const gauge = (name: string, help: string, ...points: Point[]) => family(name, help, points)
  const drift = (key: keyof Drift) =>
    DRIFT_KINDS.map((kind) => ({ value: node.driftOf(kind)[key], labels: { kind } }))
  const one = (value: number | undefined): Point => ({ value })
  const gpu = (value: (at: number) => number | undefined) =>
    machine.gpus.map((each, at) => ({
      value: value(at),
      labels: { gpu: String(at), model: each.model },
    }))
  const task = (value: (at: number) => number | undefined) =>
    tasks.map(({ agreement, index, kind }, at) => ({
      value: value(at),
      labels: { agreement, task: String(index), kind },
    }))
  return [
    gauge('hive_cpu_ratio', 'Processors in use.', one(machine.cpu)),
    gauge('hive_memory_used_bytes', 'Memory in use.', one(machine.memoryUsedBytes)),
    gauge('hive_memory_total_bytes', 'Memory of the machine.', one(machine.memoryTotalBytes)),
    gauge('hive_disk_free_bytes', 'Free in the data folder.', one(machine.diskFreeBytes)),
    gauge('hive_disk_read_bytes_per_second', 'Read.', one(machine.diskReadBytesPerSecond)),
    gauge('hive_disk_write_bytes_per_second', 'Written.', one(machine.diskWriteBytesPerSecond)),
    gauge('hive_network_in_bytes_per_second', 'Received.', one(machine.networkInBytesPerSecond)),
    gauge('hive_network_out_bytes_per_second', 'Sent.', one(machine.networkOutBytesPerSecond)),
    gauge('hive_temperature_celsius', 'Hottest processor sensor.', one(machine.temperatureC)),
    gauge('hive_gpu_ratio', 'GPU in use.', ...gpu((at) => machine.gpus[at]?.busy)),
    gauge(
      'hive_gpu_memory_used_bytes',
      'GPU memory in use.',
      ...gpu((at) => machine.gpus[at]?.memoryUsedBytes),
    ),
    gauge(
      'hive_gpu_temperature_celsius',
      'GPU temperature.',
      ...gpu((at) => machine.gpus[at]?.temperatureC),
    ),
    gauge('hive_gpu_power_watts', 'GPU power.', ...gpu((at) => machine.gpus[at]?.powerWatts)),
    gauge('hive_node_memory_bytes', 'Memory of the node itself.', one(machine.nodeMemoryBytes)),
    gauge('hive_node_start_time_seconds', 'When the node started.', one(node.startedAt / 1000)),
    gauge('hive_peers', 'Connected peers.', one(node.peers)),
    gauge('hive_relayed_connections', 'Own, through relays.', one(node.relaying.connections)),
    gauge('hive_relay_reservations', 'Nodes carried for.', one(node.relaying.carried)),
    gauge('hive_visible', '1 while others see this node.', one(visible(node.visibility))),
    gauge('hive_visible_to_peers', 'Peers that could connect.', one(node.visibility?.reached)),
    gauge('hive_tasks_running', 'Tasks under way.', one(tasks.length)),
    gauge('hive_tasks_waiting', 'Tasks that wait for room.', one(node.waiting)),
    gauge('hive_task_cpu_seconds', 'Processor time so far.', ...task((at) => cpuOf(tasks[at]))),
    gauge('hive_task_memory_bytes', 'Memory.', ...task((at) => tasks[at]?.use?.memoryBytes)),
    family('hive_drift_found_total', 'Differences from the contract.', drift('found'), 'counter'),
    family('hive_drift_mended_total', 'Of those, in order again.', drift('mended'), 'counter'),
  ].join('')
}

function visible(view: View | undefined): number | undefined {
  return view === undefined ? undefined : Number(view.faults.length === 0)
}

function cpuOf(task: Moment['tasks'][number] | undefined): number | undefined {
  return task?.use === undefined ? undefined : task.use.cpuMs / 1000
}

function family(
  name: string,
  help: string,
  points: readonly Point[],
  type: 'gauge' | 'counter' = 'gauge',
): string {
  const lines = points.flatMap(({ value, labels = {} }) => {
    if (value === undefined || !Number.isFinite(value)) return []
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
    return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`
  })
  return lines.length === 0
    ? ''
    : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (each) => (each === '\n' ? '\\n' : `\\${each}`))
}
