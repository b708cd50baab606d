import {
  ALLOWED_CALLS,
  ENOSYS,
  EPERM,
  NAMESPACE_FLAGS,
  PERSONAS,
  SOCKET_FAMILIES,
} from '../confinement/system-calls.ts'

/** Our system call filter in the engine's own JSON, for both processor families that images may have. */
export function seccompProfile(): string {
  const allow = 'SCMP_ACT_ALLOW'
  const equals = (index: number, value: number) => ({
    index,
    value,
    valueTwo: 0,
    op: 'SCMP_CMP_EQ',
  })
  return JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: [] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: [] },
    ],
    syscalls: [
      { names: ALLOWED_CALLS, action: allow },
      ...SOCKET_FAMILIES.map((family) => ({
        names: ['socket'],
        action: allow,
        args: [equals(0, family)],
      })),
      ...PERSONAS.map((persona) => ({
        names: ['personality'],
        action: allow,
        args: [equals(0, persona)],
      })),
      {
        names: ['clone'],
        action: allow,
        args: [{ index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
      },
      // its flags lie in memory where a filter cannot look
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    ],
  })
}
