// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ChannelStatus} from "./Channels.sol";

/// @dev The half of a channel that a claim reads and writes, in one word so that it is loaded and stored once:
///
/// | bits      | 0..95   | 96..191 | 192..231 | 232..247 | 248..255 |
/// | --------- | ------- | ------- | -------- | -------- | -------- |
/// | field     | deposit | settled | closeAt  | feeBps   | status   |
type ChannelWord is uint256;

using {deposit, settled, closeAt, feeBps, status, isLive, paying} for ChannelWord global;

uint256 constant SETTLED_OFFSET = 96;
uint256 constant CLOSE_AT_OFFSET = 192;
uint256 constant FEE_BPS_OFFSET = 232;
uint256 constant STATUS_OFFSET = 248;

/// @dev Packs all fields.
function packChannel(
    uint96 deposit_,
    uint96 settled_,
    uint40 closeAt_,
    uint16 feeBps_,
    ChannelStatus status_
) pure returns (ChannelWord) {
    return
        ChannelWord.wrap(
            uint256(deposit_) |
                (uint256(settled_) << SETTLED_OFFSET) |
                (uint256(closeAt_) << CLOSE_AT_OFFSET) |
                (uint256(feeBps_) << FEE_BPS_OFFSET) |
                (uint256(uint8(status_)) << STATUS_OFFSET)
        );
}

/// @dev Ceiling of what may be paid, token units.
function deposit(ChannelWord word) pure returns (uint96) {
    return uint96(ChannelWord.unwrap(word));
}

/// @dev Paid so far, token units, fee included.
function settled(ChannelWord word) pure returns (uint96) {
    return uint96(ChannelWord.unwrap(word) >> SETTLED_OFFSET);
}

/// @dev End of the notice, unix seconds; 0 while none was given.
function closeAt(ChannelWord word) pure returns (uint40) {
    return uint40(ChannelWord.unwrap(word) >> CLOSE_AT_OFFSET);
}

/// @dev Fee of this channel, basis points.
function feeBps(ChannelWord word) pure returns (uint16) {
    return uint16(ChannelWord.unwrap(word) >> FEE_BPS_OFFSET);
}

/// @dev State of the channel.
function status(ChannelWord word) pure returns (ChannelStatus) {
    return ChannelStatus(uint8(ChannelWord.unwrap(word) >> STATUS_OFFSET));
}

/// @dev True while the channel may pay: open, or closing.
function isLive(ChannelWord word) pure returns (bool) {
    uint256 status_ = ChannelWord.unwrap(word) >> STATUS_OFFSET;
    return status_ == uint256(ChannelStatus.Open) || status_ == uint256(ChannelStatus.Closing);
}

/// @dev The word with `paid` more settled. The caller has made sure that settled + paid is at most the deposit, so the
/// sum stays within its field.
function paying(ChannelWord word, uint96 paid) pure returns (ChannelWord) {
    unchecked {
        return ChannelWord.wrap(ChannelWord.unwrap(word) + (uint256(paid) << SETTLED_OFFSET));
    }
}
