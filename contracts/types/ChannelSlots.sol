// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {BondWord} from "./BondWord.sol";
import {ChannelWord} from "./ChannelWord.sol";

/// @dev A channel as it is stored; {Channel} is how it is shown.
struct ChannelSlots {
    ChannelWord word; // all that a claim touches
    BondWord bonds; // what cases and closing use besides
}

/// @dev Who paid for the deposit of a sponsored channel and may still have money back.
struct Shares {
    uint96 sponsors; // token units by sponsors
    uint96 requester; // token units by the requester, and by `topUp`; counted at the close
}
