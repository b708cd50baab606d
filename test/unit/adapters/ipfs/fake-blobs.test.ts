import { blobsKeepTheirPromises } from '../../../conformance/blobs.ts'
import { FakeBlobs, type FakeContentNetwork } from '../../../support/fake-blobs.ts'

blobsKeepTheirPromises('fake blobs', async () => {
  const network: FakeContentNetwork = new Map()
  return {
    here: new FakeBlobs(network, 'here'),
    there: new FakeBlobs(network, 'there'),
    therePeer: 'there',
    [Symbol.asyncDispose]: async () => undefined,
  }
})
