import type { CpuInfo } from './cpu-info.ts'
import type { KernelFiles } from './kernel-files.ts'

/**
 * Trusted execution that this machine seems to have: `…-host` where it can start protected guests, `…-guest`
 * where it is one. A device node is a claim, not a proof; the proof is an attestation.
 */
export async function readTees(files: KernelFiles, { flags }: CpuInfo): Promise<readonly string[]> {
  const [enclave, sev, sevGuest, tdxGuest, hasSnp, hasTdx] = await Promise.all([
    files.exists('dev/sgx_enclave'),
    files.exists('dev/sev'),
    files.exists('dev/sev-guest'),
    files.exists('dev/tdx_guest'),
    isOn(files, 'kvm_amd/parameters/sev_snp'),
    isOn(files, 'kvm_intel/parameters/tdx'),
  ])
  const found = {
    sgx: flags.has('sgx') && enclave,
    'sev-host': sev,
    'sev-snp-host': sev && hasSnp,
    'sev-snp-guest': sevGuest,
    'tdx-host': hasTdx,
    'tdx-guest': tdxGuest || flags.has('tdx_guest'),
  }
  return Object.entries(found).flatMap(([name, isThere]) => (isThere ? name : []))
}

async function isOn(files: KernelFiles, parameter: string): Promise<boolean> {
  return /^[Y1]\s*$/.test((await files.text(`sys/module/${parameter}`)) ?? '')
}
