import type { MachineSample } from '../domain/machine-sample.ts'

/** Tells what the machine does. Cheap: a few reads of kernel files, whatever the machine has. */
export interface MachineSampler extends AsyncDisposable {
  /** Never rejects: what cannot be read is absent. Rates are since the call before. */
  sample(): Promise<MachineSample>
}
