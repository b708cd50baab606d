// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Channel, ChannelStatus} from "../../../../contracts/types/Channels.sol";
import {HandlerBase} from "./HandlerBase.sol";

/// @title What outlives a channel: sponsors' shares and held bonds
abstract contract SponsorHandler is HandlerBase {
    function sponsor(uint256 which, uint256 who, uint96 amount) external counted {
        _sponsor(_live(which), _account(who), _within(amount, 1, 1e21));
    }

    /// @dev Nobody gets back more than it paid.
    function refund(uint256 which, uint256 who, uint96 cumulative) external counted {
        (Memory storage m, address payer) = _refundable(which, who, cumulative);
        uint96 paid = escrow.sponsorship(m.id, payer);
        vm.prank(STRANGER);
        uint96 amount = escrow.refund(m.parties, payer);
        require(payer == m.parties.requester || amount <= paid, "refunded more than was paid");
        // Once.
        try escrow.refund(m.parties, payer) {
            revert("refunded twice");
        } catch {}
    }

    function releaseBond(uint256 which, uint40 hold) external counted {
        Memory storage m = _held(which, hold);
        Channel memory c = escrow.channel(m.id);
        if (block.timestamp <= c.bondFreeAt) {
            vm.warp(c.bondFreeAt);
            try escrow.releaseBond(m.parties) {
                revert("bond left within its hold");
            } catch {}
            vm.warp(uint256(c.bondFreeAt) + 1);
        }
        uint256 before = escrow.account(m.parties.provider).free;
        vm.prank(STRANGER);
        escrow.releaseBond(m.parties);
        require(escrow.account(m.parties.provider).free == before + c.bond, "not the whole bond");
    }

    // ------------------------------------------------------------------------------------------------ making

    function _sponsor(Memory storage m, address payer, uint96 amount) private {
        m.everSponsored = true;
        _refill(payer, amount);
        vm.prank(payer);
        escrow.sponsor(m.id, amount);
    }

    /// @dev A closed channel without cases in which somebody has a share; a new one if there is none.
    function _refundable(
        uint256 which,
        uint256 who,
        uint96 cumulative
    ) private returns (Memory storage m, address payer) {
        for (uint256 i = 0; i < _channels.length; ++i) {
            m = _channels[((which % _channels.length) + i) % _channels.length];
            Channel memory c = escrow.channel(m.id);
            if (c.status != ChannelStatus.Closed || c.requesterCases + c.providerCases != 0) continue;
            for (uint256 j = 0; j < _keys.length; ++j) {
                payer = _account((who % _keys.length) + j);
                if (escrow.sponsorship(m.id, payer) != 0) return (m, payer);
            }
        }
        m = _open(which, which >> 8, 1e18, 0);
        payer = _account(who);
        _sponsor(m, payer, 1e18);
        _close(m, false, cumulative % 3e18);
    }

    /// @dev A closed channel with a bond; a new one if there is none.
    function _held(uint256 which, uint40 hold) private returns (Memory storage m) {
        for (uint256 i = 0; i < _channels.length; ++i) {
            m = _channels[((which % _channels.length) + i) % _channels.length];
            Channel memory c = escrow.channel(m.id);
            if (c.status == ChannelStatus.Closed && c.bond != 0) return m;
        }
        m = _openWithHold(which, which >> 8, 1e18, 1e18, 1 + (hold % escrow.MAX_BOND_HOLD()));
        _close(m, true, 1e17);
    }
}
