import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { CliParts } from '../../../node/cli/parts.ts'
import { EXIT } from '../../../node/cli/job/exit-code.ts'
import { readDocument, readJob } from '../../../node/cli/job/job-file.ts'
import { JOB_READER } from '../../../node/cli/job/job-reader.ts'
import { commandTree } from '../../../node/cli/program.ts'
import { isWorkflow, readWorkflow } from '../../../node/cli/workflow/workflow-file.ts'
import { variablesOf } from '../../../node/config/overrides.ts'
import { CONFIG_READER } from '../../../node/config/schema.ts'
import { codeOf } from '../../../node/domain/errors.ts'

const page = async (path: string) =>
  readFile(new URL(`../../../docs/${path}`, import.meta.url), 'utf8')
const examples = fileURLToPath(new URL('../../../examples', import.meta.url))

test('docs: every config field stands in its page with its variable, and no other does', async () => {
  const text = await page('operations/config.md')
  const rows = [...text.matchAll(/^\| `([a-zA-Z.]+)` +\| `(HIVE_[A-Z_]+)`/gm)]
  assert.deepEqual(
    rows.map(([, path, variable]) => ({ path, variable })),
    [...variablesOf(CONFIG_READER)],
  )
})

test('docs: every field of a spec stands in its page', async () => {
  const text = await page('job-spec.md')
  const fields = variablesOf(JOB_READER).map(({ path }) => path)
  for (const path of fields) assert.match(text, new RegExp(`^\\| \`${path}\``, 'm'), path)
})

test('docs: every command and exit code stands in its page', async () => {
  const text = await page('cli.md')
  const commands = commandTree(
    { stdout: {}, stderr: {}, version: '1.2.3' } as unknown as CliParts,
    () => {},
  ).commands
  for (const each of commands) assert.ok(text.includes(`\`hive ${each.name()}`), each.name())
  const run = [EXIT.ok, EXIT.timeout, EXIT.ours, EXIT.interrupted, EXIT.killed]
  for (const code of run) assert.match(text, new RegExp(`^\\| ${code} +\\|`, 'm'))
})

test('docs: every example is a spec that can be read', async () => {
  const files = (await readdir(examples)).filter((name) => name.endsWith('.yaml'))
  assert.ok(files.length >= 4)
  for (const file of files) {
    try {
      const document = await readDocument(file, examples)
      assert.ok(document)
      if (isWorkflow(document)) await readWorkflow(document)
      else await readJob(file, {}, examples)
    } catch (error) {
      // Images are made by the reader of the example.
      assert.equal(codeOf(error), 'SPEC_FILE_MISSING', file)
      assert.match(await readFile(join(examples, file), 'utf8'), /^image: /m, file)
    }
  }
})
