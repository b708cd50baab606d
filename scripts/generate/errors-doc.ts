// Writes docs/errors.md from the table of codes.
// With --check: writes nothing and exits 1 when the checked-in file differs.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { renderErrorsDoc } from './errors-page.ts'

const TARGET = fileURLToPath(new URL('../../docs/errors.md', import.meta.url))

const fresh = renderErrorsDoc()
if (process.argv.includes('--check')) {
  if ((await readFile(TARGET, 'utf8').catch(() => '')) !== fresh) {
    process.stderr.write(
      'docs/errors.md differs from the codes.\nRun: node scripts/generate/errors-doc.ts\n',
    )
    process.exitCode = 1
  }
} else {
  await writeFile(TARGET, fresh)
}
