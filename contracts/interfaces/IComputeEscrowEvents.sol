// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

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
