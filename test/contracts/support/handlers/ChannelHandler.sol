// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ChannelId} from "../../../../contracts/types/ChannelId.sol";
import {BatchedVoucher, Channel, ChannelStatus, OpenTerms} from "../../../../contracts/types/Channels.sol";
import {CloseMutual, Voucher} from "../../../../contracts/types/SignedMessages.sol";
import {HandlerBase} from "./HandlerBase.sol";

/// @title Accounts, channels, fees and the pause
/// @dev Every action makes the state it needs, so it always succeeds: a revert in here fails the run. What must be refused
/// is tried within the actions and must be refused.
abstract contract ChannelHandler is HandlerBase {
    function deposit(uint256 who, uint96 amount) external counted {
        _refill(_account(who), _within(amount, 1, 1e24));
    }

    function donate(uint96 amount) external counted {
        token.mint(address(escrow), amount);
        donated += amount;
    }

    function withdraw(uint256 who, uint96 amount) external counted {
        address account = _account(who);
        _refill(account, 1);
        amount = _within(amount, 1, _cut(escrow.account(account).free));
        vm.prank(account);
        escrow.withdraw(account, amount);
        withdrawn += amount;
    }

    function open(uint256 requester, uint256 provider, uint96 amount, uint96 bond, uint40 hold) external counted {
        // Every other channel's bond outlives it.
        _openWithHold(requester, provider, amount, bond, hold % 2 == 0 ? 0 : hold % escrow.MAX_BOND_HOLD());
    }

    function topUp(uint256 which, uint256 who, uint96 amount) external counted {
        Memory storage m = _live(which);
        address payer = _account(who);
        amount = _within(amount, 1, 1e21);
        _refill(payer, amount);
        vm.prank(payer);
        escrow.topUp(m.id, amount);
    }

    function addBond(uint256 which, uint256 who, uint96 amount) external counted {
        Memory storage m = _live(which);
        address payer = _account(who);
        amount = _within(amount, 1, 1e21);
        _refill(payer, amount);
        vm.prank(payer);
        escrow.addBond(m.id, amount);
    }

    function claim(uint256 which, uint96 cumulative) external counted {
        Memory storage m = _unspent(which);
        Channel memory c = escrow.channel(m.id);
        // Also above the deposit: such a voucher pays what is there.
        Voucher memory voucher = _voucher(m, _within(cumulative, c.settled + 1, c.deposit + 1e20));
        bytes memory signature = _sign(m.signerKey, escrow.digestOfVoucher(voucher));
        uint256 before = _wealth(m.parties.provider);
        uint96 paid = escrow.claim(m.parties, voucher, signature);
        _expectWealth(m, before + paid);
        // The same voucher again pays nothing.
        try escrow.claim(m.parties, voucher, signature) {
            revert("paid twice");
        } catch {}
    }

    function claimMany(uint256 which, uint256 count, uint96 cumulative) external counted {
        Memory storage first = _unspent(which);
        BatchedVoucher[] memory batch = new BatchedVoucher[]((count % 4) + 1);
        for (uint256 i = 0; i < batch.length; ++i) batch[i] = _batched(first, cumulative / uint96(i + 1));
        uint256 before = _wealth(first.parties.provider);
        uint256 paid = escrow.claimMany(first.parties.provider, first.parties.providerSigner, batch);
        _expectWealth(first, before + paid);
    }

    function claimAndClose(uint256 which, uint96 cumulative, bool byKey) external counted {
        Memory storage m = _live(which);
        Channel memory c = escrow.channel(m.id);
        uint256 expected = _wealth(m.parties.provider) + (c.bondHold == 0 ? c.bond : 0);
        expected += _close(m, byKey, cumulative);
        // What left the deposit beyond the payment went back to the requester.
        if (m.parties.requester == m.parties.provider) expected += c.deposit - escrow.channel(m.id).deposit;
        _expectWealth(m, expected);
    }

    function startClose(uint256 which, uint256 by) external counted {
        _notice(_open(which, which >> 8, 1e18, 1e18), by);
    }

    function close(uint256 which, uint256 by) external counted {
        Memory storage m = _live(which);
        if (escrow.channel(m.id).status == ChannelStatus.Open) _notice(m, by);
        uint256 closeAt = escrow.channel(m.id).closeAt;
        if (block.timestamp <= closeAt) vm.warp(closeAt + 1);
        vm.prank(STRANGER);
        escrow.close(m.parties);
        m.closed = true;
    }

    function closeMutual(uint256 which, uint96 total) external counted {
        Memory storage m = _live(which);
        Channel memory c = escrow.channel(m.id);
        total = _within(total, c.settled, c.deposit);
        CloseMutual memory agreed = CloseMutual(ChannelId.unwrap(m.id), total, uint40(block.timestamp));
        bytes32 digest = escrow.digestOfCloseMutual(agreed);
        if (total > m.highestSigned) m.highestSigned = total;
        escrow.closeMutual(m.parties, agreed, _sign(m.signerKey, digest), _sign(m.providerKey, digest));
        m.closed = true;
    }

    function reopenClosed(uint256 which) external counted {
        if (_channels.length == 0 || !_channels[which % _channels.length].closed) {
            Memory storage fresh = _live(which);
            this.closeMutual(which, 0);
            require(fresh.closed, "not closed");
            which = _indexOf(fresh);
        }
        Memory storage m = _channels[which % _channels.length];
        OpenTerms memory terms = _terms(m.parties, 1, 0);
        bytes memory signature = _signBond(m, terms);
        _refill(m.parties.requester, 1);
        vm.prank(m.parties.requester);
        try escrow.createChannel(terms, signature) {
            revert("reopened");
        } catch {}
    }

    function collectFees() external counted {
        escrow.collectFees(accounts());
    }

    function changeFee(uint16 feeBps, uint256 treasury) external counted {
        escrow.collectFees(accounts());
        feeBps = feeBps % (escrow.MAX_FEE_BPS() + 1);
        vm.prank(_OWNER);
        escrow.scheduleFeePolicy(feeBps, _account(treasury));
        vm.warp(block.timestamp + escrow.FEE_DELAY() + 1);
        escrow.applyFeePolicy();
    }

    function useWhilePaused(uint256 which, uint96 amount) external counted {
        Memory storage m = _unspent(which);
        _refill(m.parties.requester, 1);
        vm.prank(_OWNER);
        escrow.pause();
        this.claim(_indexOf(m), amount);
        this.closeMutual(_indexOf(m), type(uint96).max);
        vm.prank(m.parties.requester);
        escrow.withdraw(m.parties.requester, 1);
        ++withdrawn;
        vm.prank(_OWNER);
        escrow.unpause();
    }

    function warp(uint40 wait) external counted {
        vm.warp(block.timestamp + (wait % 2 days));
    }

    // ------------------------------------------------------------------------------------------------ making

    function _batched(Memory storage m, uint96 cumulative) private returns (BatchedVoucher memory item) {
        Voucher memory voucher = _voucher(m, cumulative);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(m.signerKey, escrow.digestOfVoucher(voucher));
        item.requester = m.parties.requester;
        item.nonce = m.parties.nonce;
        item.cumulative = voucher.cumulative;
        item.jobs = voucher.jobs;
        item.r = r;
        item.vs = s | bytes32(uint256(v - 27) << 255);
    }

    function _notice(Memory storage m, uint256 by) private {
        address[4] memory sides = [
            m.parties.requester,
            m.parties.provider,
            address(uint160(m.parties.nonce)),
            m.parties.providerSigner
        ];
        vm.prank(sides[by % 4]);
        escrow.startClose(m.parties);
    }

    /// @dev Holds a payment to what the provider and the fee got of it.
    function _expectWealth(Memory storage m, uint256 expected) private view {
        require(_wealth(m.parties.provider) == expected, "payout + fee != paid");
    }

    function _cut(uint112 value) private pure returns (uint96) {
        return value > type(uint96).max ? type(uint96).max : uint96(value);
    }
}
