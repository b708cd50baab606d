// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {CaseKind, CaseState} from "../types/Cases.sol";
import {ChannelId} from "../types/ChannelId.sol";

/// @title What an escrow tells the world
/// @notice The events alone suffice to rebuild every balance and channel. Amounts are in token units.
interface IComputeEscrowEvents {
    /// @notice Money came in.
    /// @param payer Account whose tokens moved.
    /// @param account Account credited.
    /// @param amount Token units.
    event Deposited(address indexed payer, address indexed account, uint256 amount);

    /// @notice Money went out.
    /// @param account Account debited.
    /// @param to Receiver of the tokens.
    /// @param amount Token units.
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    /// @notice A channel opened. Keep these values: later calls need them.
    /// @param channel Id of the channel.
    /// @param requester Owner of the deposit.
    /// @param provider Owner of the bond and of every payment.
    /// @param providerSigner Key that acts for the provider.
    /// @param nonce Nonce in the id; low 160 bits: key that signs vouchers for the requester.
    /// @param deposit Ceiling of what may be paid.
    /// @param bond Provider's money at stake.
    /// @param bondHold Seconds that the bond outlives a close that not both agreed to.
    /// @param feeBps Fee of this channel for its whole life, basis points.
    /// @param agreement Agreement the channel was opened for, as the requester says; zero for none.
    event Opened(
        ChannelId indexed channel,
        address indexed requester,
        address indexed provider,
        address providerSigner,
        uint256 nonce,
        uint96 deposit,
        uint96 bond,
        uint40 bondHold,
        uint16 feeBps,
        bytes32 agreement
    );

    /// @notice The deposit of a channel grew.
    /// @param channel Id of the channel.
    /// @param payer Account debited.
    /// @param amount Token units added.
    /// @param deposit Deposit afterwards.
    event ToppedUp(ChannelId indexed channel, address indexed payer, uint96 amount, uint96 deposit);

    /// @notice The bond of a channel grew.
    /// @param channel Id of the channel.
    /// @param payer Account debited.
    /// @param amount Token units added.
    /// @param bond Bond afterwards.
    event BondAdded(ChannelId indexed channel, address indexed payer, uint96 amount, uint96 bond);

    /// @notice A payment was credited. `paid - fee` went to the provider's balance.
    /// @param channel Id of the channel.
    /// @param cumulative What the requester signed for; more than was paid so far if the deposit is smaller.
    /// @param paid By how much the settled total rose.
    /// @param fee Share of `paid` that is the platform's.
    /// @param jobs Jobs the voucher pays for; 0 for a mutual close.
    /// @param jobsRoot Merkle root of the jobs paid for, unverified; zero for a mutual close.
    event Claimed(ChannelId indexed channel, uint96 cumulative, uint96 paid, uint96 fee, uint64 jobs, bytes32 jobsRoot);

    /// @notice Notice to close was given.
    /// @param channel Id of the channel.
    /// @param by Account that gave it.
    /// @param closeAt Last moment of the notice; `close` works after it.
    event Closing(ChannelId indexed channel, address indexed by, uint40 closeAt);

    /// @notice A channel ended, for ever.
    /// @param channel Id of the channel.
    /// @param settled Paid over its whole life, fee included.
    /// @param depositReturned Credited to the requester; what cases or sponsors have in it stays.
    /// @param bondReturned Credited to the provider; zero when the hold starts.
    event Closed(ChannelId indexed channel, uint96 settled, uint96 depositReturned, uint96 bondReturned);

    /// @notice The bond of a closed channel went back to the provider.
    /// @param channel Id of the channel.
    /// @param amount Token units.
    event BondReleased(ChannelId indexed channel, uint96 amount);

    /// @notice A sponsor added to a channel's deposit.
    /// @param channel Id of the channel.
    /// @param sponsor Account debited, which has its part of what is left in the end.
    /// @param amount Token units added.
    /// @param deposit Deposit afterwards.
    event Sponsored(ChannelId indexed channel, address indexed sponsor, uint96 amount, uint96 deposit);

    /// @notice One who paid for a sponsored deposit had its part of what is left.
    /// @param channel Id of the channel.
    /// @param payer Account credited.
    /// @param amount Token units.
    event Refunded(ChannelId indexed channel, address indexed payer, uint96 amount);

    /// @notice A provider put a Merkle root of receipts on record, with the time of this block.
    /// @param signer Session key that did.
    /// @param root The root.
    event Anchored(address indexed signer, bytes32 indexed root);

    /// @notice A job was brought before the escrow.
    /// @param caseId Struct hash of the agreement.
    /// @param channel Id of the channel.
    /// @param kind What it is about.
    /// @param opener Account debited for the bond.
    /// @param bond Token units that each side posts.
    /// @param amount Token units of the deposit that it may pay out.
    /// @param stake Token units of the provider's bond that it holds.
    /// @param deadline Last moment for the other side's answer.
    event CaseOpened(
        bytes32 indexed caseId,
        ChannelId indexed channel,
        CaseKind kind,
        address opener,
        uint96 bond,
        uint96 amount,
        uint96 stake,
        uint40 deadline
    );

    /// @notice A case went to the verifier.
    /// @param caseId Struct hash of the agreement.
    /// @param respondent Account debited for the second bond.
    /// @param receipt Struct hash of the receipt in dispute.
    /// @param verifierFee Token units that a verdict costs the loser's bond.
    /// @param deadline Last moment at which only a verdict ends the case.
    event CaseContested(
        bytes32 indexed caseId,
        address respondent,
        bytes32 receipt,
        uint96 verifierFee,
        uint40 deadline
    );

    /// @notice A provider answered a no-show with its receipt and now asks for its pay.
    /// @param caseId Struct hash of the agreement.
    /// @param receipt Struct hash of the receipt.
    /// @param inTime True when an anchor proves it was there by `finishBy`.
    /// @param deadline Last moment for the requester's answer.
    event ReceiptShown(bytes32 indexed caseId, bytes32 receipt, bool inTime, uint40 deadline);

    /// @notice A voucher that holds the job was shown. These values are what {ICaseActions-disprovePaid} needs again.
    /// @param caseId Struct hash of the agreement.
    /// @param cumulative Of the voucher.
    /// @param jobs Of the voucher.
    /// @param jobsRoot Of the voucher.
    /// @param seq Of the job.
    /// @param amount Of the job.
    /// @param index Place of the job.
    /// @param deadline Last moment for a contradiction.
    event PaidShown(
        bytes32 indexed caseId,
        uint96 cumulative,
        uint64 jobs,
        bytes32 jobsRoot,
        uint64 seq,
        uint96 amount,
        uint64 index,
        uint40 deadline
    );

    /// @notice Two receipts for one agreement were shown.
    /// @param caseId Struct hash of the agreement.
    /// @param by Account that showed them.
    /// @param first Struct hash of one.
    /// @param second Struct hash of the other.
    event Equivocated(bytes32 indexed caseId, address indexed by, bytes32 first, bytes32 second);

    /// @notice A case ended, for ever.
    /// @param caseId Struct hash of the agreement.
    /// @param channel Id of the channel.
    /// @param outcome Its last state.
    /// @param paid By how much the channel's settled total rose; `paid - fee` went to the provider.
    /// @param fee Share of `paid` that is the platform's.
    /// @param compensation Of the stake, credited to the requester.
    /// @param slashed Of the stake, credited to the treasury.
    /// @param verifierFee Of the loser's bond, credited to the verifier.
    event CaseEnded(
        bytes32 indexed caseId,
        ChannelId indexed channel,
        CaseState outcome,
        uint96 paid,
        uint96 fee,
        uint96 compensation,
        uint96 slashed,
        uint96 verifierFee
    );

    /// @notice Fees taken from payments were credited to the treasury's balance.
    /// @param payer Account whose payments they were taken from.
    /// @param treasury Account credited.
    /// @param amount Token units.
    event FeesCollected(address indexed payer, address indexed treasury, uint256 amount);

    /// @notice A change of fee or treasury was announced.
    /// @param feeBps Fee to come, basis points.
    /// @param treasury Treasury to come.
    /// @param readyAt Last moment at which it cannot be applied yet.
    event FeePolicyScheduled(uint16 feeBps, address indexed treasury, uint40 readyAt);

    /// @notice An announced change was dropped.
    event FeePolicyCancelled();

    /// @notice The fee of channels opened from now on, and the treasury.
    /// @param feeBps Basis points.
    /// @param treasury Account that collects fees.
    event FeePolicyApplied(uint16 feeBps, address indexed treasury);
}
