// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrowErrors} from "../interfaces/IComputeEscrowErrors.sol";
import {IVerifier} from "../interfaces/IVerifier.sol";
import {CaseLimits} from "./CaseLimits.sol";

/// @title Questions to a contract that nobody trusts
/// @notice A verifier can refuse, burn its gas, answer megabytes or lie about a verdict, and do nothing else: it is asked by
/// staticcall, with a cap on gas, and two words of its answer are read.
library VerifierCalls {
    /// @dev Gas that the caller must hold, so that 63/64 of it, which is what a call can pass on, is enough, and what a
    /// case needs after the answer is left.
    uint256 private constant GAS_NEEDED = (CaseLimits.VERIFIER_GAS * 64) / 63 + 10_000;

    /// @dev Fee, token units, and how long a verdict may take, seconds; both 0 when there is no proper answer.
    function quote(address verifier, bytes32 params) internal view returns (uint256 fee, uint256 maxDuration) {
        (bool answered, uint256 first, uint256 second) = _ask(verifier, abi.encodeCall(IVerifier.quote, (params)), 64);
        return answered ? (first, second) : (0, 0);
    }

    /// @dev The verdict, as a number; 0, which is pending, when there is no proper answer.
    function verdict(address verifier, bytes32 caseId) internal view returns (uint256 value) {
        (bool answered, uint256 first, ) = _ask(verifier, abi.encodeCall(IVerifier.verdict, (caseId)), 32);
        return answered ? first : 0;
    }

    function _ask(
        address verifier,
        bytes memory question,
        uint256 leastBytes
    ) private view returns (bool answered, uint256 first, uint256 second) {
        if (gasleft() < GAS_NEEDED) revert IComputeEscrowErrors.ComputeEscrowTooLittleGas(gasleft(), GAS_NEEDED);
        uint256 gasCap = CaseLimits.VERIFIER_GAS;
        // Solidity's own call copies the whole answer, at the caller's cost.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(0x00, 0)
            mstore(0x20, 0)
            answered := staticcall(gasCap, verifier, add(question, 0x20), mload(question), 0x00, 0x40)
            answered := and(answered, iszero(lt(returndatasize(), leastBytes)))
            first := mload(0x00)
            second := mload(0x20)
        }
    }
}
