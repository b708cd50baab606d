// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ChannelId} from "../types/ChannelId.sol";
import {Account, Channel, ChannelStatus, OpenTerms, Parties} from "../types/Channels.sol";
import {Agreement, BondOffer, CloseMutual, Receipt, Voucher} from "../types/SignedMessages.sol";

/// @title ComputeEscrow
/// @notice Holds one ERC-20 token for requesters and providers of compute. A requester and a provider share a channel;
/// signed cumulative vouchers move one counter in it; payments are credited inside and withdrawn by their owners.
/// @dev Amounts are in the token's smallest unit; times are unix seconds; a deadline is inclusive.
///
/// Safety rests on: the token moving exactly what it is told (a token that takes a fee is refused when money comes in
/// or goes out; a token that changes balances by itself must not be used); the session keys staying secret; keccak256
/// and secp256k1. The owner cannot move, freeze or lower any balance.
///
/// Liveness rests on: some account calling `close` after a notice; the token letting the holder's chosen receiver be
/// paid. No call but deposits, `open`, `topUp` and `addBond` can be paused.
///
/// Parties are not stored. Whoever acts on a channel brings them, from the `Opened` event or the own records, and their
/// hash is the channel's id.
interface IComputeEscrow {
    // ------------------------------------------------------------------------------------------------- events

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
    /// @param requesterSigner Key that signs vouchers.
    /// @param providerSigner Key that acts for the provider.
    /// @param nonce Nonce in the id.
    /// @param deposit Ceiling of what may be paid.
    /// @param bond Provider's money at stake.
    /// @param feeBps Fee of this channel for its whole life, basis points.
    /// @param agreement Agreement the channel was opened for, as the requester says; zero for none.
    event Opened(
        ChannelId indexed channel,
        address indexed requester,
        address indexed provider,
        address requesterSigner,
        address providerSigner,
        uint256 nonce,
        uint96 deposit,
        uint96 bond,
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
    /// @param depositReturned Credited to the requester.
    /// @param bondReturned Credited to the provider.
    event Closed(ChannelId indexed channel, uint96 settled, uint96 depositReturned, uint96 bondReturned);

    /// @notice Fees were credited to the treasury's balance.
    /// @param treasury Account credited.
    /// @param amount Token units.
    event FeesCollected(address indexed treasury, uint256 amount);

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

    // ------------------------------------------------------------------------------------------------- errors

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

    /// @notice Thrown when the low 160 bits of a nonce are not the requester's session key.
    /// @param nonce Nonce given.
    /// @param requesterSigner Key it must carry.
    error ComputeEscrowNonceNotBound(uint256 nonce, address requesterSigner);

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

    /// @notice Thrown when lists that belong together differ in length.
    error ComputeEscrowLengthMismatch();

    /// @notice Thrown when a fee is above the cap.
    /// @param feeBps Fee given, basis points.
    /// @param maxFeeBps The cap.
    error ComputeEscrowFeeTooHigh(uint16 feeBps, uint16 maxFeeBps);

    /// @notice Thrown when no change of fee or treasury is announced.
    error ComputeEscrowNoFeePolicyScheduled();

    // ------------------------------------------------------------------------------------------------- ledger

    /// @notice Moves tokens of the caller into the caller's free balance.
    /// @dev Needs an allowance. Reverts while paused. About 45,000 gas once the balance is not zero.
    /// @param amount Token units.
    function deposit(uint96 amount) external;

    /// @notice Moves tokens of the caller into the free balance of `account`.
    /// @dev Warning: the money is `account`'s from then on.
    /// @param account Account credited.
    /// @param amount Token units.
    function depositFor(address account, uint96 amount) external;

    /// @notice `deposit` with an EIP-2612 permit in the same transaction.
    /// @dev A permit that fails is ignored when the allowance is there all the same: anyone may have used it first.
    /// @param amount Token units.
    /// @param deadline Last moment of the permit.
    /// @param v Signature's parity.
    /// @param r Signature's r.
    /// @param s Signature's s.
    function depositWithPermit(uint96 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Sends tokens from the caller's free balance. The only call by which tokens leave.
    /// @dev Works while paused.
    /// @param to Receiver; not zero and not the escrow.
    /// @param amount Token units.
    function withdraw(address to, uint96 amount) external;

    // ----------------------------------------------------------------------------------------------- channels

    /// @notice Opens a channel between the caller, as requester, and a provider that signed a bond offer for it.
    /// @dev The bond offer is signed by `terms.provider` itself, with a key or by ERC-1271. One offer opens one channel:
    /// its nonce carries the requester's session key, so the offer fixes every part of the channel's id. Also a bond of
    /// zero needs the signature, so that nobody is made a provider, or given a session key, unasked. Reverts while
    /// paused. About 85,000 gas.
    ///
    /// Warning: `terms.agreement` is shown, not checked.
    /// Warning: the bond offer does not fix the deposit; a provider looks at the channel before it works.
    /// @param terms Who, how much, and which nonce.
    /// @param bondSignature Signature over the `BondOffer` that `terms` and the caller imply.
    /// @return channel Id of the channel.
    function open(OpenTerms calldata terms, bytes calldata bondSignature) external returns (ChannelId channel);

    /// @notice Adds to a channel's deposit from the caller's free balance.
    /// @dev Anyone may; timers are not touched. Works during a notice, reverts while paused.
    /// Warning: what is left at the close goes to the requester, not to the caller.
    /// @param channel Id of an open or closing channel.
    /// @param amount Token units.
    function topUp(ChannelId channel, uint96 amount) external;

    /// @notice Adds to a channel's bond from the caller's free balance.
    /// @dev Anyone may. Works during a notice, reverts while paused.
    /// Warning: the bond goes to the provider at the close, not to the caller.
    /// @param channel Id of an open or closing channel.
    /// @param amount Token units.
    function addBond(ChannelId channel, uint96 amount) external;

    /// @notice Pays what a voucher covers and was not paid yet: min(cumulative, deposit) - settled.
    /// @dev Anyone may submit; the provider is credited. Works until the channel is closed, also after the end of a
    /// notice. A voucher above the deposit stays good for the rest after a `topUp`. Below 48,000 gas, at any number of
    /// jobs.
    /// @param parties Parties of the channel.
    /// @param voucher What the requester signed.
    /// @param signature 65 bytes (r, s, v) by the requester's session key, low s.
    /// @return paid Token units, fee included.
    function claim(
        Parties calldata parties,
        Voucher calldata voucher,
        bytes calldata signature
    ) external returns (uint96 paid);

    /// @notice `claim` for many channels.
    /// @dev A voucher that pays nothing or whose channel is closed is passed over, so that nobody can spoil a batch by
    /// claiming or closing one of its channels first. Wrong parties and wrong signatures revert. At most some
    /// 1,000 vouchers fit the gas limit of a transaction.
    /// @param parties Parties of each channel.
    /// @param vouchers Voucher of each channel.
    /// @param signatures Signature of each voucher.
    /// @return paid Token units in all, fees included; zero is no error.
    function claimMany(
        Parties[] calldata parties,
        Voucher[] calldata vouchers,
        bytes[] calldata signatures
    ) external returns (uint256 paid);

    /// @notice Claims a last voucher and ends the channel at once.
    /// @dev Only the provider or its session key: it gives up what later vouchers would bring. A voucher that pays
    /// nothing more is welcome here. Also during a notice. About 55,000 gas.
    /// @param parties Parties of the channel.
    /// @param voucher What the requester signed.
    /// @param signature 65 bytes by the requester's session key.
    /// @return paid Token units, fee included.
    function claimAndClose(
        Parties calldata parties,
        Voucher calldata voucher,
        bytes calldata signature
    ) external returns (uint96 paid);

    /// @notice Gives notice to close: starts the clock after which anyone may `close`.
    /// @dev The requester, the provider or one of their session keys. A notice cannot be taken back or prolonged.
    /// Warning: vouchers that nobody claims before the close are lost to the provider.
    /// @param parties Parties of the channel.
    function startClose(Parties calldata parties) external;

    /// @notice Ends a channel whose notice is over; deposit left and bond go back to their owners.
    /// @dev Anyone may.
    /// @param parties Parties of the channel.
    function close(Parties calldata parties) external;

    /// @notice Ends a channel at once, as both agreed.
    /// @dev Anyone may submit. The total may not be below what was paid already.
    /// @param parties Parties of the channel.
    /// @param agreed What both signed.
    /// @param requesterSignature 65 bytes by the requester's session key.
    /// @param providerSignature 65 bytes by the provider's session key.
    function closeMutual(
        Parties calldata parties,
        CloseMutual calldata agreed,
        bytes calldata requesterSignature,
        bytes calldata providerSignature
    ) external;

    // --------------------------------------------------------------------------------------------- the platform

    /// @notice Credits the fees gathered to the treasury's free balance. Anyone may call; zero is no error.
    /// @return amount Token units.
    function collectFees() external returns (uint256 amount);

    /// @notice Announces a fee and treasury; replaces an earlier announcement and starts the wait anew.
    /// @dev Owner only. Open channels keep their fee.
    /// @param newFeeBps Basis points, at most `MAX_FEE_BPS`.
    /// @param newTreasury Account that shall collect fees.
    function scheduleFeePolicy(uint16 newFeeBps, address newTreasury) external;

    /// @notice Drops the announced change. Owner only.
    function cancelFeePolicy() external;

    /// @notice Makes the announced change, after the wait. Anyone may call.
    /// @dev Fees gathered so far are credited to the treasury that goes.
    function applyFeePolicy() external;

    /// @notice Stops deposits, `open`, `topUp` and `addBond`, and nothing else. Owner only.
    function pause() external;

    /// @notice Ends a pause. Owner only.
    function unpause() external;

    // ---------------------------------------------------------------------------------------------------- views

    /// @notice A ledger account.
    /// @param owner Its address.
    /// @return Its balances.
    function account(address owner) external view returns (Account memory);

    /// @notice A channel; all zero if it was never opened.
    /// @param id Id of the channel.
    /// @return Its state.
    function channel(ChannelId id) external view returns (Channel memory);

    /// @notice Id of the channel of `parties`, whether open or not.
    /// @param parties Parties of the channel.
    /// @return Its id.
    function channelIdOf(Parties calldata parties) external view returns (ChannelId);

    /// @notice What the escrow owes to all together; never above its token balance.
    /// @return Token units.
    function liabilities() external view returns (uint256);

    /// @notice The settlement token, for ever.
    /// @return Its address.
    function token() external view returns (address);

    /// @notice Fee of channels opened now.
    /// @return Basis points.
    function feeBps() external view returns (uint16);

    /// @notice Account that fees are credited to.
    /// @return Its address.
    function treasury() external view returns (address);

    /// @notice Fees gathered and not yet credited to the treasury.
    /// @return Token units.
    function uncollectedFees() external view returns (uint256);

    /// @notice The announced change; all zero if there is none.
    /// @return nextFeeBps Basis points.
    /// @return nextTreasury Treasury to come.
    /// @return readyAt Last moment at which it cannot be applied yet.
    function scheduledFeePolicy() external view returns (uint16 nextFeeBps, address nextTreasury, uint40 readyAt);

    /// @notice Most that the fee can ever be.
    /// @return Basis points.
    function MAX_FEE_BPS() external view returns (uint16);

    /// @notice Wait between announcing and applying a fee.
    /// @return Seconds.
    function FEE_DELAY() external view returns (uint40);

    /// @notice Length of a notice to close.
    /// @return Seconds.
    function CLOSE_NOTICE() external view returns (uint40);

    /// @notice EIP-712 digest that a provider signs.
    /// @param message The message.
    /// @return Digest.
    function digestOfBondOffer(BondOffer calldata message) external view returns (bytes32);

    /// @notice EIP-712 digest that both session keys sign.
    /// @param message The message.
    /// @return Digest.
    function digestOfAgreement(Agreement calldata message) external view returns (bytes32);

    /// @notice EIP-712 digest that the provider's session key signs.
    /// @param message The message.
    /// @return Digest.
    function digestOfReceipt(Receipt calldata message) external view returns (bytes32);

    /// @notice EIP-712 digest that the requester's session key signs.
    /// @param message The message.
    /// @return Digest.
    function digestOfVoucher(Voucher calldata message) external view returns (bytes32);

    /// @notice EIP-712 digest that both session keys sign.
    /// @param message The message.
    /// @return Digest.
    function digestOfCloseMutual(CloseMutual calldata message) external view returns (bytes32);
}
