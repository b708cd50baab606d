// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @title Limits of cases
/// @notice {ICases} shows them.
library CaseLimits {
    /// @dev Time for an answer, seconds: a day, so that a node that was down overnight is not late.
    uint40 internal constant RESPONSE_WINDOW = 24 hours;
    /// @dev Longest time for a verdict, seconds: covers a jury's rounds and a bisection of 2^40 steps.
    uint40 internal constant MAX_VERDICT_TIME = 30 days;
    /// @dev Most gas that a verifier may use for an answer: some thirty cold storage reads and a pairing check.
    uint256 internal constant VERIFIER_GAS = 300_000;
    /// @dev Most cases that one side may have open in a channel.
    uint8 internal constant MAX_OPEN_CASES = 8;
}
