// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Account} from "./Channels.sol";

/// @dev A ledger account in one word, so that a payment loads and stores it once:
///
/// | bits      | 0..111 | 112..207 | 208..223 | 224..255  |
/// | --------- | ------ | -------- | -------- | --------- |
/// | field     | free   | feesPaid | faults   | firstSeen |
type AccountWord is uint256;

using {free, feesPaid, shown, adding, withFault} for AccountWord global;

/// @dev Thrown when a balance would not fit its field; needs more tokens than any real one has.
error AccountOverflow();

uint256 constant FEES_PAID_OFFSET = 112;
uint256 constant FAULTS_OFFSET = 208;
uint256 constant FIRST_SEEN_OFFSET = 224;

/// @dev What the account may withdraw or commit, token units.
function free(AccountWord word) pure returns (uint112) {
    return uint112(AccountWord.unwrap(word));
}

/// @dev Platform fees ever taken from payments to the account, token units.
function feesPaid(AccountWord word) pure returns (uint96) {
    return uint96(AccountWord.unwrap(word) >> FEES_PAID_OFFSET);
}

/// @dev All fields.
function shown(AccountWord word) pure returns (Account memory) {
    uint256 raw = AccountWord.unwrap(word);
    return
        Account({
            free: word.free(),
            feesPaid: word.feesPaid(),
            faults: uint16(raw >> FAULTS_OFFSET),
            firstSeen: uint32(raw >> FIRST_SEEN_OFFSET)
        });
}

/// @dev The word with more money and more fees paid, first seen now if never before. Reverts when a field overflows.
function adding(AccountWord word, uint256 amount, uint256 fee) view returns (AccountWord) {
    uint256 raw = AccountWord.unwrap(word);
    unchecked {
        // No overflow: the callers' amounts are sums of fewer than 2^64 values below 2^96.
        if (word.free() + amount > type(uint112).max || word.feesPaid() + fee > type(uint96).max)
            revert AccountOverflow();
        raw += amount + (fee << FEES_PAID_OFFSET);
    }
    if (raw >> FIRST_SEEN_OFFSET == 0) raw |= uint256(uint32(block.timestamp)) << FIRST_SEEN_OFFSET; // until 2106
    return AccountWord.wrap(raw);
}

/// @dev The word with one fault more; the count stays at its greatest.
function withFault(AccountWord word) pure returns (AccountWord) {
    uint256 raw = AccountWord.unwrap(word);
    if (uint16(raw >> FAULTS_OFFSET) == type(uint16).max) return word;
    return AccountWord.wrap(raw + (1 << FAULTS_OFFSET));
}
