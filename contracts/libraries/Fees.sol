// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @title Platform fee arithmetic
/// @notice All rounding of the escrow is here.
library Fees {
    /// @dev Basis points in a whole.
    uint256 internal constant BASIS_POINTS = 10_000;

    /// @dev Fee on everything settled so far, rounded up: never in the favour of who claims.
    function feeUp(uint256 settled, uint256 feeBps) internal pure returns (uint256) {
        // No overflow: settled < 2^96 and feeBps < 2^16.
        return (settled * feeBps + BASIS_POINTS - 1) / BASIS_POINTS;
    }

    /// @dev Fee on the step from `settledBefore` to `settledAfter`. The fees of a channel's steps add up to the fee on
    /// their sum, so nobody gains or loses by splitting a claim. Never above the step while `feeBps` is at most
    /// BASIS_POINTS: settled - feeUp(settled) does not fall when settled grows.
    function feeOnStep(uint256 settledBefore, uint256 settledAfter, uint256 feeBps) internal pure returns (uint256) {
        return feeUp(settledAfter, feeBps) - feeUp(settledBefore, feeBps);
    }
}
