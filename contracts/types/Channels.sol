// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @dev Life of a channel. The order is stored: append, never reorder.
/// `None` was never opened; `Closed` is the tombstone that keeps an id from being used again.
enum ChannelStatus {
    None,
    Open,
    Closing,
    Closed
}

/// @dev Ledger account, one slot.
struct Account {
    uint112 free; // 14 bytes, token units that may be withdrawn or committed
    uint96 feesPaid; // 12 bytes, platform fees ever taken from payments to this account; 6 bytes are spare
}

/// @dev Channel, two slots. Slot 0 is all that a claim touches.
struct Channel {
    uint96 deposit; // 12 bytes, ceiling of what may be paid; equals `settled` once closed
    uint96 settled; // 12 bytes, paid so far, fee included; never falls
    uint40 closeAt; // 5 bytes, unix seconds at which a notice ends; 0 while none was given
    uint16 feeBps; // 2 bytes, fee fixed when the channel opened
    ChannelStatus status; // 1 byte
    uint96 bond; // 12 bytes, provider's money at stake
    uint40 bondFreeAt; // 5 bytes, unix seconds until which a bond outlives its channel; 0: it left at the close
}

/// @dev Who shares a channel. Not stored: each call brings the parties and their hash must be the channel's id.
struct Parties {
    address requester; // owner account of the deposit
    address provider; // owner account of the bond and of every payment
    address providerSigner; // key that acts for the provider
    uint256 nonce; // low 160 bits: key that signs vouchers for the requester; the 96 bits above are free
}

/// @dev What a requester asks for when opening a channel.
struct OpenTerms {
    address provider; // owner account of the bond and of every payment
    address requesterSigner; // key that signs vouchers
    address providerSigner; // key that acts for the provider
    uint96 deposit; // taken from the caller's free balance
    uint96 bond; // taken from the provider's free balance
    uint40 bondHold; // seconds that the bond stays after a close without both agreeing, as the provider signed
    uint40 bondExpiry; // unix seconds, last moment at which the bond offer holds
    uint256 nonce; // low 160 bits must be `requesterSigner`; the 96 bits above are free
    bytes32 agreement; // agreement the channel is opened for, only shown in the event; zero for none
}

/// @dev One voucher of a provider's batch, with its signature and what the provider's own addresses leave open of the
/// channel's parties. The channel itself follows from these.
struct BatchedVoucher {
    address requester; // owner account of the deposit
    uint256 nonce; // low 160 bits: key that signed the voucher
    uint96 cumulative; // token units since the channel opened
    uint64 jobs; // how many jobs `cumulative` pays for
    bytes32 jobsRoot; // Merkle root of (seq, agreement, amount), evidence only
    bytes32 r; // signature in the compact form of ERC-2098
    bytes32 vs; // signature, s with the parity in its top bit
}
