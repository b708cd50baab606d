// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @dev Signed by the provider's owner account: this much may be bonded in one channel with this requester.
struct BondOffer {
    address provider;
    address requester;
    address providerSigner;
    uint96 bond; // token units
    uint40 hold; // seconds that the bond stays after a close without both agreeing; 0: it leaves at the close
    uint40 expiry; // unix seconds, inclusive
    uint256 nonce; // the channel's nonce, so one offer opens one channel
}

/// @dev Signed by both session keys: the terms of one job. Its struct hash is the job's id.
struct Agreement {
    bytes32 channel;
    uint64 seq; // place in the channel, from 1
    bytes32 offer;
    bytes32 spec;
    bytes32 input;
    uint32 tasks;
    uint96 price; // token units
    uint96 owedAfter; // cumulative token units owed in the channel once this job is done
    uint96 stake; // token units of the bond that answer for this job
    uint96 caseBond; // token units that each side posts when the job is brought before the escrow as a case
    address verifier;
    bytes32 verifierParams;
    bytes32 nonceCommitR;
    bytes32 nonceCommitP;
    uint40 startBy; // unix seconds
    uint40 finishBy; // unix seconds
    uint40 disputeUntil; // unix seconds
    uint8 onUndecided;
}

/// @dev Signed by the provider's session key: what was done for one agreement.
struct Receipt {
    bytes32 agreement;
    uint32 completed; // tasks
    uint96 amount; // token units asked for
    bytes32 resultCommit;
    bytes32 trace;
    bytes32 dataRoot;
    uint40 finishedAt; // unix seconds, a claim and not a proof
}

/// @dev Signed by the requester's session key: everything paid in the channel so far, this included.
struct Voucher {
    bytes32 channel;
    uint96 cumulative; // token units since the channel opened
    uint64 jobs; // how many jobs `cumulative` pays for
    bytes32 jobsRoot; // Merkle root of (seq, agreement, amount), evidence only
}

/// @dev Signed by both session keys: end the channel now, with this much paid in all.
struct CloseMutual {
    bytes32 channel;
    uint96 finalSettled; // token units since the channel opened
    uint40 deadline; // unix seconds, inclusive
}
