/** Makes the bundle that scripts/run.sh starts nodes from. */
import { makeBundle } from './bundle.ts'

await makeBundle()
