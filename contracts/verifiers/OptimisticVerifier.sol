// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IVerifier, Verdict} from "../interfaces/IVerifier.sol";

/// @title Silence is consent, and nobody judges
/// @notice For agreements whose disputes end between the two: a claim that is not contested in time wins by the escrow's own
/// clock, and one that is contested falls to the agreement's split at once, for no fee.
/// @dev Warning: it proves nothing. Whoever contests gets the split, right or wrong; choose `onUndecided` and `caseBond`
/// with that in mind.
contract OptimisticVerifier is IVerifier {
    /// @inheritdoc IVerifier
    function quote(bytes32) external pure returns (uint96 fee, uint40 maxDuration, uint64 gasUnits) {
        return (0, 0, 0);
    }

    /// @inheritdoc IVerifier
    function verdict(bytes32) external pure returns (Verdict) {
        return Verdict.Undecided;
    }
}
