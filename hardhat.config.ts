import { fileURLToPath } from 'node:url'

import hardhatEthers from '@nomicfoundation/hardhat-ethers'
import hardhatNetworkHelpers from '@nomicfoundation/hardhat-network-helpers'
import hardhatNodeTestRunner from '@nomicfoundation/hardhat-node-test-runner'
import { defineConfig } from 'hardhat/config'

export default defineConfig({
  plugins: [hardhatEthers, hardhatNetworkHelpers, hardhatNodeTestRunner],
  paths: {
    sources: 'contracts',
    tests: { solidity: 'test/contracts', nodejs: 'test/contracts' },
  },
  solidity: {
    splitTestsCompilation: true,
    version: '0.8.35',
    // The locked npm package is the compiler; nothing is downloaded.
    path: fileURLToPath(import.meta.resolve('solc/soljson.js')),
    settings: {
      viaIR: true,
      optimizer: { enabled: true, runs: 100_000 },
      evmVersion: 'prague',
    },
  },
  test: {
    solidity: {
      fsPermissions: { readFile: ['test/vectors/typed-data.json'] },
      fuzz: { runs: 256, seed: '0xc0ffee' },
      invariant: { runs: 24, depth: 48, failOnRevert: true },
    },
  },
})
