// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @dev The half of a channel that cases and closing use, in one word:
///
/// | bits      | 0..95 | 96..191 | 192..231 | 232..239 | 240..247 |
/// | --------- | ----- | ------- | -------- | -------- | -------- |
/// | field     | bond  | frozen  | time     | cases    | flags    |
///
/// `time` is the hold in seconds while the channel lives, and the last moment of that hold, unix seconds, once it closed.
/// `cases` counts the open cases: those that the requester opened, plus 16 times those that the provider opened.
/// `flags` are `SPONSORED` and `PAID_BY_CASE`.
type BondWord is uint256;

using {bond, frozen, time, cases, flags, isSponsored, isPlain, casesOf, withBond} for BondWord global;

uint256 constant FROZEN_OFFSET = 96;
uint256 constant TIME_OFFSET = 192;
uint256 constant CASES_OFFSET = 232;
uint256 constant FLAGS_OFFSET = 240;
/// @dev Others than the requester have a share in the deposit.
uint8 constant SPONSORED = 1;
/// @dev A case paid out of the deposit: from then on what was settled is more than what vouchers paid.
uint8 constant PAID_BY_CASE = 2;
/// @dev What the provider's open cases are counted in.
uint8 constant PROVIDER_CASE = 16;
/// @dev What the requester's open cases are counted in.
uint8 constant REQUESTER_CASE = 1;

/// @dev Packs all fields.
function packBond(uint96 bond_, uint96 frozen_, uint40 time_, uint8 cases_, uint8 flags_) pure returns (BondWord) {
    return
        BondWord.wrap(
            uint256(bond_) |
                (uint256(frozen_) << FROZEN_OFFSET) |
                (uint256(time_) << TIME_OFFSET) |
                (uint256(cases_) << CASES_OFFSET) |
                (uint256(flags_) << FLAGS_OFFSET)
        );
}

/// @dev Provider's money that no case holds, token units.
function bond(BondWord word) pure returns (uint96) {
    return uint96(BondWord.unwrap(word));
}

/// @dev What the open cases may pay out of the deposit, token units, added up.
function frozen(BondWord word) pure returns (uint96) {
    return uint96(BondWord.unwrap(word) >> FROZEN_OFFSET);
}

/// @dev Hold in seconds, or its last moment; see the type.
function time(BondWord word) pure returns (uint40) {
    return uint40(BondWord.unwrap(word) >> TIME_OFFSET);
}

/// @dev Open cases of both sides; zero when there are none.
function cases(BondWord word) pure returns (uint8) {
    return uint8(BondWord.unwrap(word) >> CASES_OFFSET);
}

/// @dev How many cases one side has open; `step` says which side.
function casesOf(BondWord word, uint8 step) pure returns (uint8) {
    return step == PROVIDER_CASE ? word.cases() / PROVIDER_CASE : word.cases() % PROVIDER_CASE;
}

/// @dev The flags that are set, added up.
function flags(BondWord word) pure returns (uint8) {
    return uint8(BondWord.unwrap(word) >> FLAGS_OFFSET);
}

/// @dev True when others than the requester have a share in the deposit.
function isSponsored(BondWord word) pure returns (bool) {
    return word.flags() & SPONSORED != 0;
}

/// @dev True when the channel has a bond at most: no hold, no case, no flag.
function isPlain(BondWord word) pure returns (bool) {
    return (BondWord.unwrap(word) >> FROZEN_OFFSET) == 0;
}

/// @dev The word with another bond.
function withBond(BondWord word, uint96 bond_) pure returns (BondWord) {
    return BondWord.wrap(((BondWord.unwrap(word) >> FROZEN_OFFSET) << FROZEN_OFFSET) | bond_);
}
