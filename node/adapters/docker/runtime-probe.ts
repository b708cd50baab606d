import type Docker from 'dockerode'
import { second } from '../../domain/units.ts'
import { LABELS } from './container-settings.ts'
import { refusalOf, unlessGone, type Engine } from './engine.ts'
import { createHelperContainer } from './helper-container.ts'
import { PROBE_STATUS } from './helper-image.ts'
import type { Image } from '../image/image-archive.ts'

/** How long a trial container may take, ms; a broken runtime may hang at full speed for ever. */
const PROBE_TIMEOUT_MS: number = 15 * second

/**
 * Tries a runtime with a container that is given `more` and only exits, or runs another program that exits as it should.
 * Why it does not work, or `undefined` when it does.
 */
export async function runtimeFault(
  engine: Engine,
  runtime: string,
  helper: Image,
  nodeId: string,
  more: Docker.HostConfig = {},
  program?: string,
): Promise<string | undefined> {
  const abortSignal = AbortSignal.timeout(PROBE_TIMEOUT_MS)
  await using made = new AsyncDisposableStack()
  try {
    const container = await createHelperContainer(engine, helper, {
      abortSignal,
      labels: { [LABELS.node]: nodeId },
      ...(program !== undefined && { program }),
      host: { ...more, Runtime: runtime },
    })
    made.defer(() => unlessGone(container.remove({ force: true })))
    await container.start({ abortSignal })
    const answer: unknown = await container.wait({ abortSignal })
    const isRight =
      typeof answer === 'object' &&
      answer !== null &&
      'StatusCode' in answer &&
      answer.StatusCode === PROBE_STATUS
    return isRight ? undefined : `a trial container ended wrongly: ${JSON.stringify(answer)}`
  } catch (error) {
    return refusalOf(error)?.message ?? String(error)
  }
}
