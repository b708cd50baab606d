// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrow} from "../interfaces/IComputeEscrow.sol";
import {Messages} from "../libraries/Messages.sol";
import {BondWord, packBond, SPONSORED} from "../types/BondWord.sol";
import {ChannelId} from "../types/ChannelId.sol";
import {ChannelSlots, Shares} from "../types/ChannelSlots.sol";
import {ChannelWord, packChannel} from "../types/ChannelWord.sol";
import {ChannelStatus, Parties} from "../types/Channels.sol";
import {ChannelBook} from "./ChannelBook.sol";
import {FeePolicy} from "./FeePolicy.sol";

/// @title Deposits that others pay
/// @notice What is left of a sponsored deposit goes back to who paid it, in proportion.
abstract contract Sponsors is ChannelBook, FeePolicy {
    using Messages for *;

    mapping(ChannelId id => mapping(address sponsor => uint96)) private _sponsorships;

    /// @inheritdoc IComputeEscrow
    function sponsor(ChannelId id, uint96 amount) external whenNotPaused {
        ChannelSlots storage slots = _channels[id];
        ChannelWord word = _liveWord(id, slots);
        if (amount == 0) revert ComputeEscrowZeroAmount();
        _debit(msg.sender, amount);
        uint96 deposit_ = word.deposit() + amount;
        slots.word = packChannel(deposit_, word.settled(), word.closeAt(), word.feeBps(), word.status());
        BondWord bonds = slots.bonds;
        slots.bonds = packBond(bonds.bond(), bonds.frozen(), bonds.time(), bonds.cases(), bonds.flags() | SPONSORED);
        _shares[id].sponsors += amount;
        _sponsorships[id][msg.sender] += amount;
        emit Sponsored(id, msg.sender, amount, deposit_);
    }

    /// @inheritdoc IComputeEscrow
    function refund(Parties calldata parties, address payer) external returns (uint96 amount) {
        ChannelId id = parties.channelId(address(this));
        ChannelSlots storage slots = _channels[id];
        ChannelWord word = slots.word;
        if (word.status() != ChannelStatus.Closed) revert ComputeEscrowWrongStatus(id, word.status());
        if (slots.bonds.cases() != 0) revert ComputeEscrowCasesOpen(id);
        Shares memory left = _shares[id];
        uint256 all = uint256(left.sponsors) + left.requester;
        uint96 share = _sponsorships[id][payer];
        left.sponsors -= share;
        delete _sponsorships[id][payer];
        if (payer == parties.requester) {
            share += left.requester; // no overflow: together they were one deposit
            left.requester = 0;
        }
        if (share == 0) revert ComputeEscrowNothingToRefund(id, payer);
        _shares[id] = left;
        // Each takes its part of what the ones before left, so that the last takes the rest to the last unit.
        amount = uint96((uint256(word.deposit() - word.settled()) * share) / all);
        slots.word = packChannel(word.deposit() - amount, word.settled(), 0, word.feeBps(), ChannelStatus.Closed);
        if (amount != 0) _credit(payer, amount);
        emit Refunded(id, payer, amount);
    }

    /// @inheritdoc IComputeEscrow
    function sponsorship(ChannelId id, address payer) external view returns (uint96) {
        return _sponsorships[id][payer];
    }
}
