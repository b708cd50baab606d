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

/// @dev A case as it is shown. Everything but `state` and `kind` is zero once it ended.
struct Case {
    CaseState state;
    CaseKind kind;
    address opener; // who posted the first bond and has it back unless its side loses
    address respondent; // who posted the second bond; zero before a contest
    uint96 bond; // token units, posted by each side
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

/// @dev A case as it is stored: two slots while it is open, two more from a contest on, one word of state for ever.
struct CaseSlots {
    address opener;
    uint96 bond;
    uint96 amount;
    uint96 stake;
    uint40 deadline;
    CaseState state;
    CaseKind kind;
    address respondent;
    uint96 verifierFee;
    bytes32 evidence;
}
