import { unlessGone, type Engine } from './engine.ts'
import { LABELS } from './container-settings.ts'
import type { LeftTask } from './left-tasks.ts'

/**
 * Removes what an earlier life of this node left in the engine, but not the tasks in `keep`; how many containers and
 * volumes that were.
 */
export async function sweepLeftovers(
  engine: Engine,
  nodeId: string,
  keep: readonly LeftTask[] = [],
): Promise<number> {
  const filters = { label: [`${LABELS.node}=${nodeId}`] }
  const kept = new Set(keep.map(({ container }) => container))
  const containers = (await engine.listContainers({ all: true, filters })).filter(
    ({ Id: id }) => !kept.has(id),
  )
  await Promise.all(
    containers.map(({ Id: id }) =>
      unlessGone(engine.getContainer(id).remove({ force: true, v: true })),
    ),
  )
  const isKept = (volume: string) => keep.some(({ prefix }) => volume.startsWith(`${prefix}-`))
  const { Volumes: all } = await engine.listVolumes({ filters })
  const volumes = (all ?? []).filter(({ Name }) => !isKept(Name))
  await Promise.all(volumes.map(({ Name }) => unlessGone(engine.getVolume(Name).remove())))
  return containers.length + volumes.length
}
