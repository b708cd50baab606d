import assert from 'node:assert/strict'
import { blobsKeepTheirPromises } from '../conformance/blobs.ts'
import { openRealBlobs } from '../support/real-blobs.ts'

blobsKeepTheirPromises('helia blobs', async () => {
  const opened = await openRealBlobs(2)
  const [here, there] = opened.nodes
  assert.ok(here !== undefined && there !== undefined)
  return {
    here: here.blobs,
    there: there.blobs,
    therePeer: there.net.peer,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
})
