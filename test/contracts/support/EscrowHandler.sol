// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrow} from "../../../contracts/interfaces/IComputeEscrow.sol";
import {ChannelId} from "../../../contracts/types/ChannelId.sol";
import {BatchedVoucher, Channel, ChannelStatus, OpenTerms, Parties} from "../../../contracts/types/Channels.sol";
import {BondOffer, CloseMutual, Voucher} from "../../../contracts/types/SignedMessages.sol";
import {ITestToken} from "./ITestToken.sol";
import {Vm} from "./Vm.sol";

/// @title Random but honest and dishonest use of an escrow by four accounts
/// @dev Every action makes the state it needs, so it always succeeds: a revert in here fails the run. What must be refused
/// is tried within the actions and must be refused.
abstract contract EscrowHandler {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev What the handler remembers of a channel, to hold the escrow to it.
    struct Memory {
        ChannelId id;
        Parties parties;
        uint256 signerKey;
        uint256 providerKey;
        uint96 highestSigned;
        uint96 settled;
        bool closed;
        bool seenClosed;
    }

    IComputeEscrow public immutable escrow;
    ITestToken public immutable token;
    address private immutable _OWNER;

    uint256 public donated;
    mapping(bytes4 action => uint256 successes) public successes;

    uint256[4] private _keys = [uint256(11), 12, 13, 14];
    Memory[] private _channels;
    uint96 private _counter;

    constructor(IComputeEscrow escrow_, ITestToken token_, address owner_) {
        escrow = escrow_;
        token = token_;
        _OWNER = owner_;
        for (uint256 i = 0; i < _keys.length; ++i) _refill(vm.addr(_keys[i]), 1e24);
    }

    /// @dev After each action: nothing paid was unpaid, and what was closed stayed as it was.
    modifier counted() {
        _;
        ++successes[msg.sig];
        for (uint256 i = 0; i < _channels.length; ++i) {
            Memory storage m = _channels[i];
            uint96 settled = escrow.channel(m.id).settled;
            require(settled >= m.settled, "settled fell");
            require(!m.seenClosed || settled == m.settled, "paid from a closed channel");
            m.settled = settled;
            m.seenClosed = m.closed;
        }
    }

    // ------------------------------------------------------------------------------------------------ actions

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
    }

    function open(uint256 requester, uint256 provider, uint96 amount, uint96 bond) external counted {
        _open(requester, provider, amount, bond);
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
        _note(m, before, paid, 0);
        // The same voucher again pays nothing.
        try escrow.claim(m.parties, voucher, signature) {
            revert("paid twice");
        } catch {}
    }

    function claimMany(uint256 which, uint256 count, uint96 cumulative) external counted {
        Memory storage first = _unspent(which);
        count = count % 4;
        BatchedVoucher[] memory batch = new BatchedVoucher[](count + 1);
        for (uint256 i = 0; i < batch.length; ++i) batch[i] = _batched(first, cumulative / uint96(i + 1));
        uint256 before = _wealth(first.parties.provider);
        uint256 paid = escrow.claimMany(first.parties.provider, first.parties.providerSigner, batch);
        _note(first, before, paid, 0);
    }

    function claimAndClose(uint256 which, uint96 cumulative, bool byKey) external counted {
        Memory storage m = _live(which);
        uint256 bond = escrow.channel(m.id).bond;
        Voucher memory voucher = _voucher(m, cumulative);
        bytes memory signature = _sign(m.signerKey, escrow.digestOfVoucher(voucher));
        uint256 before = _wealth(m.parties.provider);
        uint256 rest = escrow.channel(m.id).deposit - escrow.channel(m.id).settled;
        vm.prank(byKey ? m.parties.providerSigner : m.parties.provider);
        uint96 paid = escrow.claimAndClose(m.parties, voucher, signature);
        if (m.parties.requester == m.parties.provider) before += rest - paid;
        _note(m, before, paid, bond);
        m.closed = true;
    }

    function startClose(uint256 which, uint256 by) external counted {
        _notice(_open(which, which >> 8, 1e18, 1e18), by);
    }

    function close(uint256 which, uint256 by) external counted {
        Memory storage m = _live(which);
        if (escrow.channel(m.id).status == ChannelStatus.Open) _notice(m, by);
        vm.warp(uint256(escrow.channel(m.id).closeAt) + 1);
        vm.prank(address(0xBEEF));
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
        address[] memory payers = accounts();
        escrow.collectFees(payers);
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
        vm.prank(_OWNER);
        escrow.unpause();
    }

    // ---------------------------------------------------------------------------------- for whoever checks

    function channels() external view returns (Memory[] memory) {
        return _channels;
    }

    function accounts() public view returns (address[] memory list) {
        list = new address[](_keys.length);
        for (uint256 i = 0; i < list.length; ++i) list[i] = vm.addr(_keys[i]);
    }

    // ------------------------------------------------------------------------------------------------ making

    function _open(uint256 requester, uint256 provider, uint96 amount, uint96 bond) private returns (Memory storage m) {
        amount = _within(amount, 1, 1e22);
        bond = _within(bond, 0, 1e22);
        m = _channels.push();
        m.signerKey = 100 + (requester % 3);
        m.providerKey = 200;
        m.parties = Parties({
            requester: _account(requester),
            provider: _account(provider),
            providerSigner: vm.addr(m.providerKey),
            nonce: (uint256(++_counter) << 160) | uint160(vm.addr(m.signerKey))
        });
        OpenTerms memory terms = _terms(m.parties, amount, bond);
        bytes memory signature = _signBond(m, terms);
        _refill(m.parties.requester, amount);
        _refill(m.parties.provider, bond);
        vm.prank(m.parties.requester);
        m.id = escrow.createChannel(terms, signature);
    }

    function _terms(Parties memory parties, uint96 amount, uint96 bond) private view returns (OpenTerms memory) {
        return
            OpenTerms({
                provider: parties.provider,
                providerSigner: parties.providerSigner,
                deposit: amount,
                bond: bond,
                bondHold: 0,
                bondExpiry: uint40(block.timestamp),
                nonce: parties.nonce,
                agreement: 0
            });
    }

    function _signBond(Memory storage m, OpenTerms memory terms) private view returns (bytes memory) {
        BondOffer memory offer = BondOffer({
            provider: terms.provider,
            requester: m.parties.requester,
            providerSigner: terms.providerSigner,
            bond: terms.bond,
            hold: terms.bondHold,
            expiry: terms.bondExpiry,
            nonce: terms.nonce
        });
        for (uint256 i = 0; i < _keys.length; ++i)
            if (vm.addr(_keys[i]) == terms.provider) return _sign(_keys[i], escrow.digestOfBondOffer(offer));
        revert("no such provider");
    }

    function _voucher(Memory storage m, uint96 cumulative) private returns (Voucher memory) {
        if (cumulative > m.highestSigned) m.highestSigned = cumulative;
        return Voucher(ChannelId.unwrap(m.id), cumulative, 1, 0);
    }

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

    /// @dev A channel that is not closed; a new one if there is none.
    function _live(uint256 which) private returns (Memory storage m) {
        for (uint256 i = 0; i < _channels.length; ++i) {
            m = _channels[((which % _channels.length) + i) % _channels.length];
            if (!m.closed) return m;
        }
        return _open(which, which >> 8, 1e18, 1e18);
    }

    /// @dev A channel that is not closed and has something left to pay; a new one if there is none.
    function _unspent(uint256 which) private returns (Memory storage m) {
        m = _live(which);
        Channel memory c = escrow.channel(m.id);
        return c.settled < c.deposit ? m : _open(which, which >> 8, 1e18, 1e18);
    }

    /// @dev Holds a payment to what the provider and the fee got of it.
    function _note(Memory storage m, uint256 wealthBefore, uint256 paid, uint256 bond) private view {
        require(_wealth(m.parties.provider) == wealthBefore + paid + bond, "payout + fee != paid");
    }

    /// @dev Free money of a provider and the fees taken from it.
    function _wealth(address provider) private view returns (uint256) {
        return uint256(escrow.account(provider).free) + escrow.uncollectedFees(provider);
    }

    function _indexOf(Memory storage m) private view returns (uint256) {
        for (uint256 i = 0; i < _channels.length; ++i) if (_channels[i].id == m.id) return i;
        revert("no such channel");
    }

    function _refill(address account, uint96 amount) private {
        if (amount == 0) return;
        token.mint(address(this), amount);
        token.approve(address(escrow), amount);
        escrow.depositFor(account, amount);
    }

    function _account(uint256 who) private view returns (address) {
        return vm.addr(_keys[who % _keys.length]);
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _cut(uint112 value) private pure returns (uint96) {
        return value > type(uint96).max ? type(uint96).max : uint96(value);
    }

    function _within(uint96 value, uint96 least, uint96 most) private pure returns (uint96) {
        return least + (value % (most - least + 1));
    }
}
