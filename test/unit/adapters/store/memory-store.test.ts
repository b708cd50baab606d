import { storeKeepsItsPromises } from '../../../conformance/store.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

storeKeepsItsPromises('memory store', async () => new MemoryStore())
