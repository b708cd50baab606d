// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @title Platform fee arithmetic
/// @notice All rounding of the escrow is here.
library Fees {
    /// @dev Basis points in a whole.
    uint256 internal constant BASIS_POINTS = 10_000;

    /// @dev Fee on everything settled so far, rounded up: never in the favour of who claims.
    function feeUp(uint96 settled, uint16 feeBps) internal pure returns (uint256) {
        unchecked {
            return (uint256(settled) * feeBps + BASIS_POINTS - 1) / BASIS_POINTS; // below 2^96 * 2^16 + 2^14
        }
    }

    /// @dev Fee on the step from `settledBefore` to `settledAfter`, which must not be less. The fees of a channel's steps
    /// add up to the fee on their sum, so nobody gains or loses by splitting a claim. While `feeBps` is at most
    /// BASIS_POINTS the fee is never above the step: settled - feeUp(settled) does not fall when settled grows.
    function feeOnStep(uint96 settledBefore, uint96 settledAfter, uint16 feeBps) internal pure returns (uint96) {
        unchecked {
            return uint96(feeUp(settledAfter, feeBps) - feeUp(settledBefore, feeBps)); // feeUp does not fall
        }
    }
}
