// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {CaseKind, CaseState, PaidJob} from "../types/Cases.sol";
import {Parties} from "../types/Channels.sol";
import {Agreement, Receipt, Voucher} from "../types/SignedMessages.sol";
import {IComputeEscrowErrors} from "./IComputeEscrowErrors.sol";
import {IComputeEscrowEvents} from "./IComputeEscrowEvents.sol";

/// @title Cases: one job before the escrow
/// @notice A job is brought by its agreement, which both session keys signed; its struct hash is the case's id, and there is
/// one case for an agreement, for ever. Whoever's turn it is has until `deadline`, that second included; then anyone may
/// end the case against it.
///
/// | state     | whose turn            | may                                  | silent                    |
/// | --------- | --------------------- | ------------------------------------ | ------------------------- |
/// | Opened    | the accused side      | concede, contest, prove, show        | `timeoutCase`: it loses   |
/// | PaidShown | the provider          | `disprovePaid`                       | `timeoutCase`: it loses   |
/// | Contested | the verifier          | rule; `resolve` fetches the verdict  | `resolve`: split          |
/// @dev All calls work while the escrow is paused.
///
/// A case can cost the provider its stake and its bond, the requester the amount and each bond it posted, and nobody
/// more. Every payment moves the channel's `settled`, as vouchers do, and never above the agreement's `owedAfter`.
///
/// Session keys act here as well as owner accounts. Whoever opens or contests pays the case's bond from its own free
/// balance and has it back unless its side loses.
///
/// Warning: a case is about one job, but the counter is one for the channel. A provider with several unpaid jobs brings
/// the oldest first: paying a younger one makes the older look paid.
interface ICaseActions is IComputeEscrowErrors, IComputeEscrowEvents {
    /// @notice Puts a Merkle root of receipts on record: whoever shows later that a receipt is under it proves that the
    /// receipt existed now.
    /// @dev For the provider's session key, which receipts are looked up by. Leaves are struct hashes of receipts, pairs
    /// are hashed in ascending order. About 50,000 gas for any number of receipts; a root again is no error and keeps its
    /// first time.
    /// @param root The root.
    function anchor(bytes32 root) external;

    /// @notice Opens a case.
    /// @dev `NonPayment` by the provider, `WrongResult` and `NoShow` by the requester. Until `disputeUntil`; a no-show after
    /// `finishBy`. On a closed channel only during the bond's hold, which
    /// is all that is at stake then. About 98,000 gas.
    ///
    /// Warning: a job whose price the deposit did not reach when the case opened is not paid more after a `topUp`.
    /// @param kind What it is about.
    /// @param parties Parties of the channel.
    /// @param agreement What both signed.
    /// @param requesterSignature 65 bytes by the requester's session key, on the agreement.
    /// @param providerSignature 65 bytes by the provider's session key, on the agreement.
    /// @param receipt What the provider signed; ignored for a no-show.
    /// @param receiptSignature 65 bytes by the provider's session key, on the receipt; ignored for a no-show.
    /// @return caseId Struct hash of the agreement.
    function openCase(
        CaseKind kind,
        Parties calldata parties,
        Agreement calldata agreement,
        bytes calldata requesterSignature,
        bytes calldata providerSignature,
        Receipt calldata receipt,
        bytes calldata receiptSignature
    ) external returns (bytes32 caseId);

    /// @notice Slashes a provider that signed two receipts for one agreement.
    /// @dev Anyone may, until `disputeUntil`, also while a case of the agreement is open: it ends at once. No verifier is
    /// asked. About 142,000 gas.
    /// @param parties Parties of the channel.
    /// @param agreement What both signed.
    /// @param requesterSignature 65 bytes by the requester's session key, on the agreement.
    /// @param providerSignature 65 bytes by the provider's session key, on the agreement.
    /// @param receipts The two.
    /// @param receiptSignatures 65 bytes each by the provider's session key.
    /// @return caseId Struct hash of the agreement.
    function equivocate(
        Parties calldata parties,
        Agreement calldata agreement,
        bytes calldata requesterSignature,
        bytes calldata providerSignature,
        Receipt[2] calldata receipts,
        bytes[2] calldata receiptSignatures
    ) external returns (bytes32 caseId);

    /// @notice The accused side agrees with the accuser: a requester pays, a provider gives up its stake.
    /// @dev Also when the case is contested, which spares the verifier's fee. A requester that pays has no fault.
    /// About 64,000 gas.
    /// @param parties Parties of the channel.
    /// @param agreement The case's.
    function concede(Parties calldata parties, Agreement calldata agreement) external;

    /// @notice The accused side denies: posts the same bond, and the verifier shall rule.
    /// @dev Not for a no-show, which only a receipt answers. About 81,000 gas, and what the verifier's quote takes.
    ///
    /// Warning: a verifier of address zero, or one that does not answer, leaves the agreement's split.
    /// @param parties Parties of the channel.
    /// @param agreement The case's.
    /// @param receipt The receipt in dispute; the verifier is told its struct hash.
    /// @param receiptSignature 65 bytes by the provider's session key.
    function contest(
        Parties calldata parties,
        Agreement calldata agreement,
        Receipt calldata receipt,
        bytes calldata receiptSignature
    ) external;

    /// @notice Ends a contested case by the verifier's verdict, or by the agreement's split when it says that it is undecided
    /// or its time is over.
    /// @dev Anyone may. A verdict still counts after the deadline, as long as nobody called this. `onUndecided` percent of
    /// the amount go to the provider; bonds and stake go back. About 70,000 gas, and what the verifier's verdict takes.
    /// @param parties Parties of the channel.
    /// @param agreement The case's.
    /// @return outcome The case's last state.
    function resolve(Parties calldata parties, Agreement calldata agreement) external returns (CaseState outcome);

    /// @notice Ends a case against the side whose turn it was.
    /// @dev Anyone may, after the deadline. About 70,000 gas.
    /// @param parties Parties of the channel.
    /// @param agreement The case's.
    /// @return outcome The case's last state.
    function timeoutCase(Parties calldata parties, Agreement calldata agreement) external returns (CaseState outcome);

    /// @notice The provider answers a no-show with its receipt. From then on the case is about its pay, and the requester's
    /// turn; the requester's bond goes to the provider if the receipt is proven to be old enough, else back.
    /// @dev The provider posts a bond of its own. About 67,000 gas.
    /// @param parties Parties of the channel.
    /// @param agreement The case's.
    /// @param receipt What the provider signed.
    /// @param receiptSignature 65 bytes by the provider's session key.
    /// @param root A root the provider's session key anchored by `finishBy`; anything if there is none.
    /// @param proof Siblings from the receipt to the root.
    function showReceipt(
        Parties calldata parties,
        Agreement calldata agreement,
        Receipt calldata receipt,
        bytes calldata receiptSignature,
        bytes32 root,
        bytes32[] calldata proof
    ) external;

    /// @notice Shows that the job was paid: a voucher whose list of paid jobs holds it and whose total the channel has paid. If
    /// nobody contradicts, a provider that claimed to be unpaid loses its bond; one that answered a no-show has its bond back.
    /// @dev Anyone may, for the requester. If the voucher is not claimed yet, claim it first. The job is the last of its list,
    /// and with no less than the provider asks for it: a requester signs the voucher that ended so. About 84,000 gas.
    ///
    /// Warning: not once a case has paid out of the channel: then a total does not tell any more what vouchers paid. A
    /// requester that let that happen answers the next case by `concede` or `contest`.
    /// @param parties Parties of the channel.
    /// @param agreement The case's.
    /// @param voucher The voucher.
    /// @param signature 65 bytes by the requester's session key.
    /// @param job The job in its list.
    /// @param proof Siblings from the job to `jobsRoot`, from the leaf up.
    function provePaid(
        Parties calldata parties,
        Agreement calldata agreement,
        Voucher calldata voucher,
        bytes calldata signature,
        PaidJob calldata job,
        bytes32[] calldata proof
    ) external;

    /// @notice Ends a case in the provider's favour by a voucher that contradicts the one that was shown: another job in its
    /// place, or two totals that leave no room for the job that one list holds and the other, which ends before, does not.
    /// @dev Anyone may, for the provider. About 82,000 gas.
    ///
    /// A requester's list only grows and its total is the sum of the list, so two true vouchers never contradict each
    /// other; and whoever was not paid holds one that contradicts a false one.
    /// @param parties Parties of the channel.
    /// @param agreement The case's.
    /// @param shownVoucher The voucher that was shown.
    /// @param shownJob The job that was shown.
    /// @param other Another voucher of the channel.
    /// @param signature 65 bytes by the requester's session key, on `other`.
    /// @param otherJob The job that `other` has in the place of `shownJob` or later; ignored if its list ends before it.
    /// @param proof Siblings from `otherJob` to the root of `other`; ignored likewise.
    function disprovePaid(
        Parties calldata parties,
        Agreement calldata agreement,
        Voucher calldata shownVoucher,
        PaidJob calldata shownJob,
        Voucher calldata other,
        bytes calldata signature,
        PaidJob calldata otherJob,
        bytes32[] calldata proof
    ) external;
}
