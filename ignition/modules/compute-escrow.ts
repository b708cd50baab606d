import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'

/**
 * ComputeEscrow for a token that is there, and a verifier that agreements may name. docs/operations/deploy.md says what
 * each parameter means.
 */
export default buildModule('ComputeEscrow', (m) => {
  const escrow = m.contract('ComputeEscrow', [
    m.getParameter('token'),
    m.getParameter('owner'),
    m.getParameter('treasury'),
    m.getParameter('feeBps'),
  ])
  const optimisticVerifier = m.contract('OptimisticVerifier')
  return { escrow, optimisticVerifier }
})
