// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ChannelId} from "../types/ChannelId.sol";
import {CaseKind, CaseState} from "../types/Cases.sol";
import {ChannelStatus} from "../types/Channels.sol";

/// @title Why an escrow refuses
/// @notice Each refusal has a name of its own and the values it was decided on.
interface IComputeEscrowErrors {
    /// @notice Thrown when an amount that must move is zero.
    error ComputeEscrowZeroAmount();

    /// @notice Thrown when an address that must mean somebody is zero, or the escrow itself.
    error ComputeEscrowInvalidAddress();

    /// @notice Thrown when the settlement token is not a contract.
    /// @param token Address given.
    error ComputeEscrowNoToken(address token);

    /// @notice Thrown when the escrow's token balance did not change by exactly the amount moved.
    /// @param expected Token units that should have moved.
    /// @param actual Token units that did.
    error ComputeEscrowTokenDelta(uint256 expected, uint256 actual);

    /// @notice Thrown when an account has less than a call takes from it.
    /// @param account Account to be debited.
    /// @param free Its free balance.
    /// @param needed Token units the call takes.
    error ComputeEscrowInsufficientFree(address account, uint256 free, uint256 needed);

    /// @notice Thrown when a channel id was used before, be it closed by now.
    /// @param channel Id of the channel.
    error ComputeEscrowChannelExists(ChannelId channel);

    /// @notice Thrown when a channel's state does not allow the call.
    /// @param channel Id of the channel.
    /// @param status Its status.
    error ComputeEscrowWrongStatus(ChannelId channel, ChannelStatus status);

    /// @notice Thrown when the parties given are not those of the channel a message names.
    /// @param named Channel in the message.
    /// @param derived Channel of the parties.
    error ComputeEscrowWrongParties(ChannelId named, ChannelId derived);

    /// @notice Thrown when a message's last moment is over.
    /// @param deadline Unix seconds.
    error ComputeEscrowExpired(uint40 deadline);

    /// @notice Thrown when a wait is not over.
    /// @param until Unix seconds, last moment of the wait.
    error ComputeEscrowTooEarly(uint40 until);

    /// @notice Thrown when the bond offer was not signed by the provider's owner account.
    /// @param provider Account that should have signed.
    error ComputeEscrowBadBondSignature(address provider);

    /// @notice Thrown when a message was not signed by the key its channel names.
    /// @param expected Key that should have signed.
    /// @param recovered Key that did.
    error ComputeEscrowBadSigner(address expected, address recovered);

    /// @notice Thrown when the caller has no part in the channel that the call needs.
    /// @param caller Account that called.
    error ComputeEscrowNotAllowed(address caller);

    /// @notice Thrown when a voucher would pay nothing, because it or a later one was claimed or the deposit is used up.
    /// @param channel Id of the channel.
    /// @param cumulative Cumulative amount of the voucher.
    /// @param settled Paid so far.
    error ComputeEscrowNothingToClaim(ChannelId channel, uint96 cumulative, uint96 settled);

    /// @notice Thrown when the total of a mutual close is below what was paid or above the deposit.
    /// @param channel Id of the channel.
    /// @param finalSettled Total both signed.
    /// @param settled Paid so far.
    /// @param deposit Ceiling.
    error ComputeEscrowFinalOutOfRange(ChannelId channel, uint96 finalSettled, uint96 settled, uint96 deposit);

    /// @notice Thrown when a fee is above the cap.
    /// @param feeBps Fee given, basis points.
    /// @param maxFeeBps The cap.
    error ComputeEscrowFeeTooHigh(uint16 feeBps, uint16 maxFeeBps);

    /// @notice Thrown when no change of fee or treasury is announced.
    error ComputeEscrowNoFeePolicyScheduled();

    /// @notice Thrown when a bond would outlive its channel for too long.
    /// @param hold Seconds given.
    /// @param maxHold The cap, seconds.
    error ComputeEscrowHoldTooLong(uint40 hold, uint40 maxHold);

    /// @notice Thrown when an account has no share, or none any more, in what is left of a deposit.
    /// @param channel Id of the channel.
    /// @param payer Account asked for.
    error ComputeEscrowNothingToRefund(ChannelId channel, address payer);

    /// @notice Thrown when a call must wait for the channel's cases to end.
    /// @param channel Id of the channel.
    error ComputeEscrowCasesOpen(ChannelId channel);

    /// @notice Thrown when one side has as many cases open in a channel as it may.
    /// @param channel Id of the channel.
    error ComputeEscrowTooManyCases(ChannelId channel);

    /// @notice Thrown when a case's state does not allow the call; an agreement has one case, for ever.
    /// @param caseId Struct hash of the agreement.
    /// @param state State of its case.
    error ComputeEscrowWrongCaseState(bytes32 caseId, CaseState state);

    /// @notice Thrown when a call is not for cases of this kind.
    /// @param kind The kind.
    error ComputeEscrowWrongKind(CaseKind kind);

    /// @notice Thrown when a case would hold neither deposit nor bond.
    /// @param caseId Struct hash of the agreement.
    error ComputeEscrowNothingAtStake(bytes32 caseId);

    /// @notice Thrown when a receipt is of another agreement.
    /// @param caseId Struct hash of the agreement.
    /// @param named Agreement in the receipt.
    error ComputeEscrowWrongReceipt(bytes32 caseId, bytes32 named);

    /// @notice Thrown when two receipts that should differ are the same.
    error ComputeEscrowSameReceipt();

    /// @notice Thrown when a voucher does not show that the job of a case was paid: it is not claimed, or names another job
    /// or less money.
    /// @param caseId Struct hash of the agreement.
    error ComputeEscrowNotPaid(bytes32 caseId);

    /// @notice Thrown when a proof does not lead from a paid job to the voucher's root.
    /// @param index Place of the job.
    error ComputeEscrowBadJobProof(uint64 index);

    /// @notice Thrown when the voucher and job to be disproved are not those that were shown.
    /// @param caseId Struct hash of the agreement.
    error ComputeEscrowNotShown(bytes32 caseId);

    /// @notice Thrown when two vouchers can both be true.
    /// @param caseId Struct hash of the agreement.
    error ComputeEscrowNoContradiction(bytes32 caseId);

    /// @notice Thrown when a call brought too little gas to ask the verifier. Without this check whoever calls could make
    /// the verifier fail.
    /// @param available Gas left.
    /// @param needed Gas that must be left.
    error ComputeEscrowTooLittleGas(uint256 available, uint256 needed);
}
