import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'

/** ComputeEscrow for a token that is there. docs/operations/deploy.md says what each parameter means. */
export default buildModule('ComputeEscrow', (m) => {
  const escrow = m.contract('ComputeEscrow', [
    m.getParameter('token'),
    m.getParameter('owner'),
    m.getParameter('treasury'),
    m.getParameter('feeBps'),
  ])
  return { escrow }
})
