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
    uint96 feesPaid; // 12 bytes, platform fees ever taken from payments to this account
    uint16 faults; // 2 bytes, cases lost; stays at its greatest
    uint32 firstSeen; // 4 bytes, unix seconds of the first money that came in
}

/// @dev A channel as it is shown; two words of storage hold it.
struct Channel {
    uint96 deposit; // ceiling of what may be paid; once closed, `settled` and what cases or sponsors have still in it
    uint96 settled; // paid so far, fee included; never falls
    uint40 closeAt; // unix seconds at which a notice ends; 0 while none was given
    uint16 feeBps; // fee fixed when the channel opened
    ChannelStatus status;
    uint96 bond; // provider's money at stake that no case holds
    uint40 bondHold; // seconds that the bond outlives a close without both; 0 once closed
    uint40 bondFreeAt; // unix seconds, last moment of that hold; 0 while the channel lives
    uint96 frozen; // what the open cases may pay out of the deposit, added up
    uint8 requesterCases; // open cases that the requester opened
    uint8 providerCases; // open cases that the provider opened
    uint96 sponsored; // part of the deposit that sponsors paid and have not had back
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
    address providerSigner; // key that acts for the provider
    uint96 deposit; // taken from the caller's free balance
    uint96 bond; // taken from the provider's free balance
    uint40 bondHold; // seconds that the bond stays after a close without both agreeing, as the provider signed
    uint40 bondExpiry; // unix seconds, last moment at which the bond offer holds
    uint256 nonce; // low 160 bits: key that signs vouchers for the requester; the 96 bits above are free
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
