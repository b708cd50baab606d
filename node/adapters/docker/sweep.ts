import { unlessGone, type Engine } from './engine.ts'
import { LABELS } from './container-settings.ts'

/** Removes what an earlier life of this node left in the engine; how many containers and volumes that were. */
export async function sweepLeftovers(engine: Engine, nodeId: string): Promise<number> {
  const filters = { label: [`${LABELS.node}=${nodeId}`] }
  const containers = await engine.listContainers({ all: true, filters })
  await Promise.all(
    containers.map(({ Id: id }) =>
      unlessGone(engine.getContainer(id).remove({ force: true, v: true })),
    ),
  )
  const { Volumes: volumes } = await engine.listVolumes({ filters })
  await Promise.all((volumes ?? []).map(({ Name }) => unlessGone(engine.getVolume(Name).remove())))
  return containers.length + (volumes ?? []).length
}
