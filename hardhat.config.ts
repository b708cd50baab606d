import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import hardhatEthers from '@nomicfoundation/hardhat-ethers'
import hardhatIgnition from '@nomicfoundation/hardhat-ignition'
import hardhatNetworkHelpers from '@nomicfoundation/hardhat-network-helpers'
import hardhatNodeTestRunner from '@nomicfoundation/hardhat-node-test-runner'
import { configVariable, defineConfig } from 'hardhat/config'

const EVM_VERSION = 'prague'

// The locked npm package is the compiler; nothing is downloaded.
const compiler = { version: '0.8.35', path: fileURLToPath(import.meta.resolve('solc/soljson.js')) }

const deployed = {
  ...compiler,
  settings: {
    viaIR: true,
    optimizer: { enabled: true, runs: 5000 },
    evmVersion: EVM_VERSION,
    outputSelection: { '*': { '*': ['storageLayout'] } },
  },
}

// Tests load the built escrow instead of containing it, so they need no optimizer; with it, compiling
// them takes a minute and a half.
const test = { ...compiler, settings: { evmVersion: EVM_VERSION } }

const testFiles = globSync('test/contracts/**/*.t.sol', { cwd: import.meta.dirname })

const build = {
  compilers: [deployed],
  overrides: Object.fromEntries(testFiles.map((file) => [file, test])),
}

export default defineConfig({
  plugins: [hardhatEthers, hardhatIgnition, hardhatNetworkHelpers, hardhatNodeTestRunner],
  paths: {
    sources: 'contracts',
    tests: { solidity: 'test/contracts', nodejs: 'test/contracts' },
  },
  networks: {
    // Any EVM chain. Nothing is asked of it before somebody uses it.
    target: { type: 'http', url: configVariable('HIVE_DEPLOY_RPC'), accounts: 'remote' },
  },
  verify: { etherscan: { apiKey: configVariable('HIVE_VERIFY_API_KEY') } },
  // `production` is what Ignition and verifiers build: the same bytes as those tested.
  solidity: {
    splitTestsCompilation: true,
    profiles: {
      default: build,
      production: { ...build, isolated: false },
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
