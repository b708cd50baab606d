/** The names under which a metered module shows what it counts, and its start function, which is not run by itself. */
export const METER_EXPORTS = {
  /** i64: what is left; below zero once nothing is. */
  fuel: 'hive:fuel',
  /** i32: 1 when the last growth of the memory was refused. */
  refused: 'hive:refused',
  /** i32: what the frames of the calls under way take; -1 once they took too much. */
  stack: 'hive:stack',
  start: 'hive:start',
} as const
