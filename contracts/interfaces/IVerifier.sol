// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @dev What a verifier says of a contested case.
enum Verdict {
    Pending, // not yet
    ProviderRight,
    ProviderWrong,
    Undecided // never: the agreement's split applies
}

/// @title Who rules on a contested case
/// @notice Both sides choose a verifier when they sign an agreement: its address and the hash of its parameters. A jury, a
/// proof, a bisection game or an oracle fit behind these two questions.
/// @dev The escrow is the caller; it asks by staticcall with `VERIFIER_GAS` and reads the first words only. A verifier holds
/// no money of a case and names no amounts but its fee. It learns of a case from {ICases-caseOf}: a case in state
/// `Contested` shows in `evidence` the struct hash of the receipt, its id is the struct hash of the agreement, and
/// whoever wants a verdict brings both messages to the verifier.
///
/// Warning: a verifier that answers late, wrongly or never cannot take or lock money, but the agreement's
/// `onUndecided` then splits it.
interface IVerifier {
    /// @notice What a verdict costs and how long it may take.
    /// @dev Asked when a case is contested. No proper answer counts as (0, 0). The escrow takes at most the case's bond as
    /// the fee and at most `MAX_VERDICT_TIME`.
    /// @param params `verifierParams` of the agreement.
    /// @return fee Token units, credited to the verifier's own ledger account from the loser's bond once it ruled.
    /// @return maxDuration Seconds from the contest to the last moment for a verdict.
    /// @return gasUnits Gas that bringing about a verdict takes its callers, for choosing an agreement's `caseBond`.
    function quote(bytes32 params) external view returns (uint96 fee, uint40 maxDuration, uint64 gasUnits);

    /// @notice The verdict on a case of the calling escrow.
    /// @param caseId Struct hash of the agreement.
    /// @return The verdict; anything else counts as pending.
    function verdict(bytes32 caseId) external view returns (Verdict);
}
