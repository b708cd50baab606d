import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = new URL('../..', import.meta.url)
const MODULE = fileURLToPath(new URL('node/crash-reports.ts', ROOT))
const SETTINGS = 'reportOnFatalError reportOnSignal reportOnUncaughtException excludeEnv'.split(' ')

test('crash reports: none are written, whatever the options of Node say', async () => {
  const asked = ['--report-on-fatalerror', '--report-on-signal', '--report-uncaught-exception']
  const read = `JSON.stringify(${JSON.stringify(SETTINGS)}.map((name) => process.report[name]))`
  const script = `
    import { forbidCrashReports } from ${JSON.stringify(MODULE)}
    console.log(${read})
    forbidCrashReports()
    console.log(${read})`
  const args = [...asked, '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const [before, after] = stdout.trim().split('\n')
  assert.deepEqual(JSON.parse(before ?? ''), [true, true, true, false])
  assert.deepEqual(JSON.parse(after ?? ''), [false, false, false, true])
})

test('crash reports: the program calls for it before anything else, and bin/hive forbids core dumps', () => {
  const main = readFileSync(new URL('node/main.ts', ROOT), 'utf8')
  const statements = main.split('\n').filter((line) => /^[a-z]/.test(line))
  assert.equal(
    statements.find((line) => !line.startsWith('import')),
    'forbidCrashReports()',
  )
  assert.match(readFileSync(new URL('scripts/run.sh', ROOT), 'utf8'), /^ *ulimit -c 0$/m)
})
