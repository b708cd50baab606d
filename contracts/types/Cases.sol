// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @dev What a case is about. The order is stored: append, never reorder.
enum CaseKind {
    NonPayment, // the provider: my receipt was not paid
    WrongResult, // the requester: the receipt's result is not the job's
    NoShow, // the requester: no receipt came by `finishBy`
    Delivered, // a no-show that the provider answered with its receipt; from then on like NonPayment
    Equivocation // two receipts for one agreement
}

/// @dev Where a case stands. The order is stored: append, never reorder. The first four may change, the others are for
/// ever: an agreement has one case.
enum CaseState {
    None,
    Opened, // the accused side's turn, until `deadline`
    PaidShown, // the requester showed that it paid; the provider's turn, until `deadline`
    Contested, // both sides posted a bond; the verifier's turn, until `deadline`
    ProviderRight,
    ProviderWrong,
    Undecided,
    Paid // the requester had paid before
}

/// @dev A case as it is shown. Everything but `state` and `kind` is zero once it ended. Who posted a bond follows from the
/// kind, which tells the side, and the flag, which tells the account of that side; how much, from the agreement's
/// `caseBond`, doubled `doublings` times.
struct Case {
    CaseState state;
    CaseKind kind;
    bool openedByKey; // the session key of the accusing side posted, not its owner account
    bool contestedByKey; // likewise for the accused side, in a contest
    uint8 doublings; // cases that the accusing side had open when it opened this one
    uint96 amount; // token units of the deposit that the case may pay out
    uint96 stake; // token units of the provider's bond that the case holds
    uint96 verifierFee; // token units, from the loser's bond
    uint40 deadline; // unix seconds, last moment of whoever's turn it is
    bytes32 evidence; // contested: struct hash of the receipt; paid shown: hash of what was shown; else zero
}

/// @dev A payment that a voucher's `jobsRoot` holds: leaf number `index` of `jobs`.
struct PaidJob {
    uint64 seq; // place of the agreement in the channel
    bytes32 agreement; // its struct hash
    uint96 amount; // token units
    uint64 index; // place in the list of paid jobs, from 0
}

/// @dev A case as it is stored: one slot while it is open, more from an answer on, one word of state for ever.
struct CaseSlots {
    uint96 amount; // 12 bytes
    uint96 stake; // 12 bytes
    uint40 deadline; // 5 bytes
    CaseState state; // 1 byte
    CaseKind kind; // 1 byte
    uint8 marks; // 1 byte: `doublings`, OPENED_BY_KEY, CONTESTED_BY_KEY
    bytes32 evidence;
    uint96 verifierFee; // 12 bytes
    uint96 asked; // 12 bytes: what the provider asks for the whole job, if that is more than `amount`
}

/// @dev Mark of a case whose opener is a session key.
uint8 constant OPENED_BY_KEY = 16;
/// @dev Mark of a case whose respondent is a session key.
uint8 constant CONTESTED_BY_KEY = 32;
/// @dev Where a case keeps its doublings.
uint8 constant DOUBLINGS = 15;
