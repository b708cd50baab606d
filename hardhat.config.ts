import { fileURLToPath } from 'node:url'

import hardhatEthers from '@nomicfoundation/hardhat-ethers'
import hardhatNetworkHelpers from '@nomicfoundation/hardhat-network-helpers'
import hardhatNodeTestRunner from '@nomicfoundation/hardhat-node-test-runner'
import { defineConfig } from 'hardhat/config'

const EVM_VERSION = 'prague'

// The locked npm package is the compiler; nothing is downloaded.
const compiler = { version: '0.8.35', path: fileURLToPath(import.meta.resolve('solc/soljson.js')) }

const deployed = {
  ...compiler,
  settings: {
    viaIR: true,
    optimizer: { enabled: true, runs: 100_000 },
    evmVersion: EVM_VERSION,
  },
}

// Tests load the built escrow instead of containing it, so they need no optimizer; with it, compiling
// them takes a minute and a half.
const test = { ...compiler, settings: { evmVersion: EVM_VERSION } }

export default defineConfig({
  plugins: [hardhatEthers, hardhatNetworkHelpers, hardhatNodeTestRunner],
  paths: {
    sources: 'contracts',
    tests: { solidity: 'test/contracts', nodejs: 'test/contracts' },
  },
  solidity: {
    splitTestsCompilation: true,
    compilers: [deployed],
    overrides: {
      'test/contracts/Deadlines.t.sol': test,
      'test/contracts/Invariants.t.sol': test,
      'test/contracts/JobsTree.t.sol': test,
      'test/contracts/Payments.t.sol': test,
      'test/contracts/TypedData.t.sol': test,
      'test/contracts/gas/Gas.t.sol': test,
    },
  },
  test: {
    solidity: {
      fsPermissions: {
        readFile: ['test/vectors/typed-data.json', 'test/vectors/jobs-tree.json'],
        readDirectory: ['artifacts/contracts'],
      },
      fuzz: { runs: 256, seed: '0xc0ffee' },
      invariant: { runs: 24, depth: 48, failOnRevert: true },
    },
  },
})
