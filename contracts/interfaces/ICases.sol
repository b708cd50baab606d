// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Case} from "../types/Cases.sol";
import {ICaseActions} from "./ICaseActions.sol";

/// @title Cases: what there is to see
/// @notice One job before the escrow; see {ICaseActions}.
interface ICases is ICaseActions {
    /// @notice A case; all zero if there was none.
    /// @param caseId Struct hash of the agreement.
    /// @return Its state.
    function caseOf(bytes32 caseId) external view returns (Case memory);

    /// @notice When a session key put a root on record.
    /// @param signer The session key.
    /// @param root The root.
    /// @return Unix seconds; 0 for never.
    function anchoredAt(address signer, bytes32 root) external view returns (uint40);

    /// @notice Time for an answer.
    /// @return Seconds.
    function RESPONSE_WINDOW() external view returns (uint40);

    /// @notice Longest time for a verdict.
    /// @return Seconds.
    function MAX_VERDICT_TIME() external view returns (uint40);

    /// @notice Most gas that a verifier may use for an answer.
    /// @return Gas.
    function VERIFIER_GAS() external view returns (uint256);

    /// @notice Most cases that one side may have open in a channel. Each open one doubles the bond of that side's next.
    /// @return A number.
    function MAX_OPEN_CASES() external view returns (uint8);
}
