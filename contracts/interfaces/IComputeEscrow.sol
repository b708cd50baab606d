// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ChannelId} from "../types/ChannelId.sol";
import {Account, BatchedVoucher, Channel, OpenTerms, Parties} from "../types/Channels.sol";
import {ICases} from "./ICases.sol";
import {Agreement, BondOffer, CloseMutual, Receipt, Voucher} from "../types/SignedMessages.sol";

/// @title ComputeEscrow
/// @notice Holds one ERC-20 token, or the chain's own coin, for requesters and providers of compute. A requester and a
/// provider share a channel; signed cumulative vouchers move one counter in it; payments are credited inside and
/// withdrawn by their owners. Any one job can be brought before the escrow as a case ({ICases}).
/// @dev Amounts are in the token's smallest unit; times are unix seconds; a deadline is inclusive.
///
/// Safety rests on: the token moving exactly what it is told (a token that takes a fee is refused when money comes in
/// or goes out; a token that changes balances by itself must not be used); the session keys staying secret; keccak256
/// and secp256k1; for a contested case, the verifier that both sides chose, and never for more than that case holds.
/// The owner cannot move, freeze or lower any balance.
///
/// Liveness rests on: some account calling `close` after a notice, `timeoutCase` or `resolve` after a case's deadline and
/// `releaseBond` after a hold; the token letting the holder's chosen receiver be paid. No call but deposits, `createChannel`,
/// `topUp`, `sponsor` and `addBond` can be paused.
///
/// Parties are not stored. Whoever acts on a channel brings them, from the `Opened` event or the own records, and their
/// hash is the channel's id.
interface IComputeEscrow is ICases {
    // ------------------------------------------------------------------------------------------------- ledger

    /// @notice Moves tokens of the caller into the caller's free balance.
    /// @dev Needs an allowance; an escrow of the chain's own coin needs `amount` as the call's value instead. Reverts
    /// while paused. About 60,000 gas once the balance is not zero.
    /// @param amount Token units.
    function deposit(uint96 amount) external payable;

    /// @notice Moves tokens of the caller into the free balance of `account`.
    /// @dev Warning: the money is `account`'s from then on.
    /// @param account Account credited.
    /// @param amount Token units.
    function depositFor(address account, uint96 amount) external payable;

    /// @notice `deposit` with an EIP-2612 permit in the same transaction.
    /// @dev A permit that fails is ignored when the allowance is there all the same: anyone may have used it first.
    /// @param amount Token units.
    /// @param deadline Last moment of the permit.
    /// @param v Signature's parity.
    /// @param r Signature's r.
    /// @param s Signature's s.
    function depositWithPermit(uint96 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Sends tokens from the caller's free balance. The only call by which tokens leave.
    /// @dev Works while paused. About 53,000 gas.
    /// @param to Receiver; not zero and not the escrow.
    /// @param amount Token units.
    function withdraw(address to, uint96 amount) external;

    // ----------------------------------------------------------------------------------------------- channels

    /// @notice Opens a channel between the caller, as requester, and a provider that signed a bond offer for it.
    /// @dev The bond offer is signed by `terms.provider` itself, with a key or by ERC-1271. One offer opens one channel:
    /// its nonce carries the requester's session key, so the offer fixes every part of the channel's id. Also a bond of
    /// zero needs the signature, so that nobody is made a provider, or given a session key, unasked. Reverts while
    /// paused. About 92,000 gas.
    ///
    /// Warning: `terms.agreement` is shown, not checked.
    /// Warning: the bond offer does not fix the deposit; a provider looks at the channel before it works.
    /// @param terms Who, how much, and which nonce.
    /// @param bondSignature Signature over the `BondOffer` that `terms` and the caller imply.
    /// @return channel Id of the channel.
    function createChannel(OpenTerms calldata terms, bytes calldata bondSignature) external returns (ChannelId channel);

    /// @notice Adds to a channel's deposit from the caller's free balance.
    /// @dev Anyone may; timers are not touched. Works during a notice, reverts while paused. About 38,000 gas.
    /// Warning: what is left at the close goes to the requester, not to the caller; see `sponsor`.
    /// @param channel Id of an open or closing channel.
    /// @param amount Token units.
    function topUp(ChannelId channel, uint96 amount) external;

    /// @notice Adds to a channel's bond from the caller's free balance.
    /// @dev Anyone may. Works during a notice, reverts while paused. About 39,000 gas.
    /// Warning: the bond goes to the provider at the close, not to the caller.
    /// @param channel Id of an open or closing channel.
    /// @param amount Token units.
    function addBond(ChannelId channel, uint96 amount) external;

    /// @notice Adds to a channel's deposit from the caller's free balance, for a refund in proportion: who paid a part of the
    /// deposit has that part of what is left in the end, with `refund`.
    /// @dev Anyone may. Works during a notice, reverts while paused. About 87,000 gas.
    /// Warning: the requester's vouchers spend it as they spend the rest.
    /// Warning: from then on the requester, too, has what is left by `refund`.
    /// Warning: the channel ends when its requester or its provider ends it; a sponsor cannot.
    /// @param channel Id of an open or closing channel.
    /// @param amount Token units.
    function sponsor(ChannelId channel, uint96 amount) external;

    /// @notice Credits an account with its part of what is left of a sponsored deposit.
    /// @dev Anyone may, once the channel is closed and has no case open. Works while paused. About 45,000 gas.
    /// @param parties Parties of the channel.
    /// @param payer A sponsor, or the requester.
    /// @return amount Token units; zero is no error when nothing was left.
    function refund(Parties calldata parties, address payer) external returns (uint96 amount);

    /// @notice Pays what a voucher covers and was not paid yet: min(cumulative, deposit) - settled.
    /// @dev Anyone may submit; the provider is credited. Works until the channel is closed, also after the end of a
    /// notice. A voucher above the deposit stays good for the rest after a `topUp`. About 45,000 gas, at any number of
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

    /// @notice `claim` for many channels of one provider.
    /// @dev Anyone may submit. A voucher that pays nothing or whose channel is not open is passed over, so that nobody can
    /// spoil a batch by claiming or closing one of its channels first. A wrong signature reverts. Below 16,000 gas a
    /// channel when there are a hundred; some 1,000 fit the gas limit of a transaction.
    /// @param provider Provider of all these channels.
    /// @param providerSigner Its session key in all these channels.
    /// @param vouchers A voucher of each channel.
    /// @return total Token units paid in all, fees included; zero is no error.
    function claimMany(
        address provider,
        address providerSigner,
        BatchedVoucher[] calldata vouchers
    ) external returns (uint256 total);

    /// @notice Claims a last voucher and ends the channel at once.
    /// @dev Only the provider or its session key: it gives up what later vouchers would bring. A voucher that pays
    /// nothing more is welcome here. Also during a notice. The bond stays for its hold. About 48,000 gas.
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
    /// About 31,000 gas.
    /// Warning: vouchers that nobody claims before the close are lost to the provider.
    /// @param parties Parties of the channel.
    function startClose(Parties calldata parties) external;

    /// @notice Ends a channel whose notice is over; deposit left and bond go back to their owners, but for what open cases
    /// or sponsors have in the one, and the hold of the other.
    /// @dev Anyone may. About 42,000 gas.
    /// @param parties Parties of the channel.
    function close(Parties calldata parties) external;

    /// @notice Gives the provider the bond of a closed channel whose hold is over.
    /// @dev Anyone may. Works while paused. What open cases hold comes back with them, for another call. About 38,000 gas.
    /// @param parties Parties of the channel.
    /// @return amount Token units.
    function releaseBond(Parties calldata parties) external returns (uint96 amount);

    /// @notice Ends a channel at once, as both agreed.
    /// @dev Anyone may submit. The total may not be below what was paid already. The bond leaves without a hold; open cases
    /// go on with what they hold. About 58,000 gas.
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

    /// @notice Credits the fees taken from payments to these accounts to the treasury's free balance.
    /// @dev Anyone may call; an account without fees, or named twice, is no error. A claim leaves its fee with the
    /// provider's account, where it is neither the provider's to spend nor in anybody's reach but this call's.
    /// @param payers Providers' owner accounts.
    /// @return total Token units.
    function collectFees(address[] calldata payers) external returns (uint256 total);

    /// @notice Announces a fee and treasury; replaces an earlier announcement and starts the wait anew.
    /// @dev Owner only. Open channels keep their fee.
    /// @param newFeeBps Basis points, at most `MAX_FEE_BPS`.
    /// @param newTreasury Account that shall collect fees.
    function scheduleFeePolicy(uint16 newFeeBps, address newTreasury) external;

    /// @notice Drops the announced change. Owner only.
    function cancelFeePolicy() external;

    /// @notice Makes the announced change, after the wait. Anyone may call.
    /// @dev Fees not collected by then go to the new treasury.
    function applyFeePolicy() external;

    /// @notice Stops deposits, `createChannel`, `topUp`, `sponsor` and `addBond`, and nothing else. Owner only.
    function pause() external;

    /// @notice Ends a pause. Owner only.
    function unpause() external;

    // ---------------------------------------------------------------------------------------------------- views

    /// @notice A ledger account, with its record: fees taken from payments to it, cases lost, first seen.
    /// @dev The fees are what the record weighs by: whoever pays itself to look busy pays them.
    /// @param owner Its address.
    /// @return Its balances and its record.
    function account(address owner) external view returns (Account memory);

    /// @notice A channel; all zero if it was never opened.
    /// @param id Id of the channel.
    /// @return Its state.
    function channel(ChannelId id) external view returns (Channel memory);

    /// @notice Id of the channel of `parties`, whether open or not.
    /// @param parties Parties of the channel.
    /// @return Its id.
    function channelIdOf(Parties calldata parties) external view returns (ChannelId);

    /// @notice What an account paid as a sponsor of a channel and had no refund for yet.
    /// @param id Id of the channel.
    /// @param payer The account.
    /// @return Token units.
    function sponsorship(ChannelId id, address payer) external view returns (uint96);

    /// @notice What the escrow owes to all together; never above its token balance.
    /// @return Token units.
    function liabilities() external view returns (uint256);

    /// @notice The settlement token, for ever.
    /// @return Its address; zero for the chain's own coin.
    function token() external view returns (address);

    /// @notice Fee of channels opened now.
    /// @return Basis points.
    function feeBps() external view returns (uint16);

    /// @notice Account that fees are credited to.
    /// @return Its address.
    function treasury() external view returns (address);

    /// @notice Fees taken from payments to an account and not yet credited to the treasury.
    /// @param payer Provider's owner account.
    /// @return Token units.
    function uncollectedFees(address payer) external view returns (uint256);

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

    /// @notice Longest that a bond may outlive its channel.
    /// @return Seconds.
    function MAX_BOND_HOLD() external view returns (uint40);

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
