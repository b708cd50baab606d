// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @dev Name of one channel for ever: the hash of chain, escrow and parties. A type of its own, so that no other
/// hash can be passed where a channel is meant.
type ChannelId is bytes32;

using {same as ==, differs as !=} for ChannelId global;

/// @dev True when both ids name one channel.
function same(ChannelId a, ChannelId b) pure returns (bool) {
    return ChannelId.unwrap(a) == ChannelId.unwrap(b);
}

/// @dev True when the ids name two channels.
function differs(ChannelId a, ChannelId b) pure returns (bool) {
    return ChannelId.unwrap(a) != ChannelId.unwrap(b);
}
