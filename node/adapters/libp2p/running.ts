/** Keeps `work` in `running` until it ends, so that a disposal can wait for it. Work must not reject. */
export async function own(running: Set<Promise<void>>, work: Promise<void>): Promise<void> {
  running.add(work)
  try {
    await work
  } finally {
    running.delete(work)
  }
}
