/**
 * Turns off the reports that Node writes of a process's environment and stack when it crashes or is told to, whatever
 * its options say: a node has keys and secrets in memory. `scripts/run.sh` forbids core dumps for the same reason.
 */
export function forbidCrashReports(): void {
  Object.assign(process.report, {
    reportOnFatalError: false,
    reportOnSignal: false,
    reportOnUncaughtException: false,
    excludeEnv: true,
  })
}
