/**
 * Two directions of one conversation, until both have ended. The first that fails has `stop` called, which must end the
 * other, and is thrown once both are over.
 */
export async function bothWays(
  directions: readonly Promise<unknown>[],
  stop: () => Promise<void> | void,
): Promise<void> {
  try {
    await Promise.all(directions)
  } catch (error) {
    await stop()
    await Promise.allSettled(directions)
    throw error
  }
}
