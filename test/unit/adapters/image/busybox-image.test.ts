import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { admitImage } from '../../../../node/adapters/image/image-admission.ts'
import { buildBusyboxImage } from '../../../../scripts/images/busybox.ts'

const missing = existsSync('/bin/busybox') ? false : 'skipped: /bin/busybox is missing'

test(
  'the busybox image has the same bytes each time and is admitted',
  { skip: missing },
  async () => {
    const first = await buildBusyboxImage()
    assert.equal(Buffer.compare(first, await buildBusyboxImage()), 0)
    assert.match((await admitImage(first)).id, /^sha256:[0-9a-f]{64}$/)
  },
)
