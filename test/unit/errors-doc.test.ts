import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { ERROR_CODES } from '../../node/domain/error-codes.ts'
import { renderErrorsDoc } from '../../scripts/generate/errors-page.ts'

const page = new URL('../../docs/errors.md', import.meta.url)

test('errors: the page lists every code, with the text that users see', async () => {
  const listed = await readFile(page, 'utf8')
  for (const [code, { what, remedy }] of Object.entries(ERROR_CODES)) {
    assert.ok(listed.includes(`### ${code}\n\n${what}\n\n**What to do:** ${remedy}\n`), code)
  }
  const headings = listed.match(/^### .+$/gm) ?? []
  assert.equal(headings.length, Object.keys(ERROR_CODES).length)
})

test('errors: the page is what the generator writes', async () => {
  assert.equal(renderErrorsDoc(), await readFile(page, 'utf8'))
})
