import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'

/** A worthless token that anyone may mint, for testnets. */
export default buildModule('TestToken', (m) => ({ token: m.contract('TestToken') }))
