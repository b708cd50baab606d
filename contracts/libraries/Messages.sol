// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ChannelId} from "../types/ChannelId.sol";
import {OpenTerms, Parties} from "../types/Channels.sol";
import {Agreement, BondOffer, CloseMutual, Receipt, Voucher} from "../types/SignedMessages.sol";

/// @title EIP-712 struct hashes of the messages that the chain may see
/// @notice The type strings are part of the protocol: both languages test them against the same vectors.
library Messages {
    bytes32 internal constant BOND_OFFER_TYPEHASH = keccak256(
        "BondOffer(address provider,address requester,address providerSigner,uint96 bond,uint40 hold,uint40 expiry,uint256 nonce)"
    );

    bytes32 internal constant AGREEMENT_TYPEHASH = keccak256(
        "Agreement(bytes32 channel,uint64 seq,bytes32 offer,bytes32 spec,bytes32 input,uint32 tasks,uint96 price,uint96 owedAfter,uint96 stake,uint96 caseBond,address verifier,bytes32 verifierParams,bytes32 nonceCommitR,bytes32 nonceCommitP,uint40 startBy,uint40 finishBy,uint40 disputeUntil,uint8 onUndecided)"
    );

    bytes32 internal constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(bytes32 agreement,uint32 completed,uint96 amount,bytes32 resultCommit,bytes32 trace,bytes32 dataRoot,uint40 finishedAt)"
    );

    bytes32 internal constant VOUCHER_TYPEHASH = keccak256(
        "Voucher(bytes32 channel,uint96 cumulative,uint64 jobs,bytes32 jobsRoot)"
    );

    bytes32 internal constant CLOSE_MUTUAL_TYPEHASH = keccak256(
        "CloseMutual(bytes32 channel,uint96 finalSettled,uint40 deadline)"
    );

    /// @dev The requester's session key, which every nonce carries. That ties a bond offer, which names the nonce alone, to
    /// one key, hence to one channel id, hence to one opening.
    function requesterSigner(uint256 nonce) internal pure returns (address) {
        return address(uint160(nonce));
    }

    /// @dev Id of the channel that `parties` share in `escrow` on this chain.
    function channelId(Parties calldata parties, address escrow) internal view returns (ChannelId) {
        return channelId(escrow, parties.requester, parties.provider, parties.providerSigner, parties.nonce);
    }

    /// @dev Id of the channel of these parties, one by one.
    function channelId(
        address escrow,
        address requester,
        address provider,
        address providerSigner,
        uint256 nonce
    ) internal view returns (ChannelId) {
        return ChannelId.wrap(keccak256(abi.encode(block.chainid, escrow, requester, provider, providerSigner, nonce)));
    }

    /// @dev EIP-712 struct hash.
    function hash(BondOffer calldata message) internal pure returns (bytes32) {
        return keccak256(abi.encode(BOND_OFFER_TYPEHASH, message));
    }

    /// @dev EIP-712 struct hash of the bond offer that `terms` and their sender imply.
    function hashBondOffer(OpenTerms memory terms, address requester) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    BOND_OFFER_TYPEHASH,
                    terms.provider,
                    requester,
                    terms.providerSigner,
                    terms.bond,
                    terms.bondHold,
                    terms.bondExpiry,
                    terms.nonce
                )
            );
    }

    /// @dev EIP-712 struct hash; the id of the job.
    function hash(Agreement calldata message) internal pure returns (bytes32) {
        return keccak256(abi.encode(AGREEMENT_TYPEHASH, message));
    }

    /// @dev EIP-712 struct hash.
    function hash(Receipt calldata message) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT_TYPEHASH, message));
    }

    /// @dev EIP-712 struct hash.
    function hash(Voucher calldata message) internal pure returns (bytes32) {
        return keccak256(abi.encode(VOUCHER_TYPEHASH, message));
    }

    /// @dev EIP-712 struct hash of a voucher, from its parts.
    function hashVoucher(
        ChannelId channel,
        uint96 cumulative,
        uint64 jobs,
        bytes32 jobsRoot
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(VOUCHER_TYPEHASH, channel, cumulative, jobs, jobsRoot));
    }

    /// @dev EIP-712 struct hash.
    function hash(CloseMutual calldata message) internal pure returns (bytes32) {
        return keccak256(abi.encode(CLOSE_MUTUAL_TYPEHASH, message));
    }
}
