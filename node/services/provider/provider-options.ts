import type { CreditTerms } from '../../domain/credit-window.ts'
import type { PriceTerms } from '../../domain/pricing.ts'
import type { Resources } from '../../domain/resources.ts'
import type { Blobs } from '../../ports/blobs.ts'
import type { Escrow } from '../../ports/escrow.ts'
import type { MachineState } from '../../ports/machine-state.ts'
import type { Registries } from '../../ports/registries.ts'
import type { Sandbox } from '../../ports/sandbox.ts'
import type { Sealer } from '../../ports/sealer.ts'
import type { Store } from '../../ports/store.ts'
import type { TaskRegister } from '../monitoring/task-register.ts'
import type { AdmissionParts } from './admission.ts'
import type { EarningsOptions } from './earnings.ts'
import type { GpusForJobs } from './gpu-pool.ts'
import type { IntakeOptions, IntakeParts } from './intake.ts'
import type { PolicyOptions } from './policy-options.ts'
import type { SecretIntakeOptions } from './secret-intake.ts'

/** What a provider works with. */
export interface ProviderParts
  extends Omit<IntakeParts, 'booking' | 'images' | 'admission'>, Pick<AdmissionParts, 'disk'> {
  readonly store: Store
  readonly blobs: Blobs
  readonly escrow: Escrow
  readonly sandboxes: readonly Sandbox[]
  readonly running: TaskRegister
  readonly machine: MachineState
  readonly sealer: Sealer
  /** Where images may come from besides their requesters. */
  readonly registries?: Registries
}

/** What its operator decides. */
export interface ProviderOptions
  extends
    Omit<IntakeOptions, 'groups'>,
    Omit<PriceTerms, 'leastPrices'>,
    EarningsOptions,
    SecretIntakeOptions {
  /** What is left out of it is as open as in {@link POLICY_DEFAULTS}. */
  readonly policy?: Partial<PolicyOptions>
  /** Tasks that may wait for room before the node declines as busy. */
  readonly maxQueue: number
  /** What jobs may use of this machine, together. */
  readonly resources: Resources
  /** Most that one task may have of the processor; left out: all of `resources`. */
  readonly mostCpuMillis?: number
  /** What requesters may leave unpaid; left out: CREDIT_DEFAULTS. */
  readonly credit?: CreditTerms
  /** What the shares under way may bring to this node, together. */
  readonly contentBytes: number
  /** Left out: none. */
  readonly gpus?: GpusForJobs
}
