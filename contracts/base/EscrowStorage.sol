// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {AccountWord} from "../types/AccountWord.sol";
import {CaseSlots} from "../types/Cases.sol";
import {ChannelId} from "../types/ChannelId.sol";
import {ChannelSlots, Shares} from "../types/ChannelSlots.sol";

/// @title What the escrow and the code of its cases both see
/// @notice The first base of both, so that each variable has the same slot in both.
abstract contract EscrowStorage {
    mapping(address owner => AccountWord) internal _accounts;
    mapping(ChannelId id => ChannelSlots) internal _channels;
    mapping(ChannelId id => Shares) internal _shares;
    mapping(bytes32 caseId => CaseSlots) internal _cases;
    mapping(address signer => mapping(bytes32 root => uint40)) internal _anchors;
    address internal _treasury;
}
