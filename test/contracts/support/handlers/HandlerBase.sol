// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrow} from "../../../../contracts/interfaces/IComputeEscrow.sol";
import {Case, CaseState} from "../../../../contracts/types/Cases.sol";
import {ChannelId} from "../../../../contracts/types/ChannelId.sol";
import {Channel, ChannelStatus, OpenTerms, Parties} from "../../../../contracts/types/Channels.sol";
import {Agreement, BondOffer, Voucher} from "../../../../contracts/types/SignedMessages.sol";
import {IScriptedVerifier} from "../IScriptedVerifier.sol";
import {ITestToken} from "../ITestToken.sol";
import {Vm} from "../Vm.sol";

/// @title What all handlers remember and can make
/// @dev Accounts are four owners, their session keys, and a verifier that does as it is told.
abstract contract HandlerBase {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    address internal constant STRANGER = address(0xBEEF);
    uint256 internal constant SIGNER_KEYS = 100;
    uint256 internal constant PROVIDER_SIGNER_KEY = 200;

    /// @dev What the handler remembers of a channel, to hold the escrow to it.
    struct Memory {
        ChannelId id;
        Parties parties;
        uint256 signerKey;
        uint256 providerKey;
        uint96 highestSigned; // by the requester: a voucher, a mutual close, or an agreement's owedAfter
        uint96 settled;
        bool closed;
        bool seenClosed;
        bool everSponsored; // keeps what its payers have not fetched
        bool paidByCase; // from then on no voucher proves a payment
    }

    /// @dev What it remembers of a case.
    struct Note {
        bytes32 id;
        uint256 channel;
        Agreement agreement;
        uint96 receiptAmount;
        bytes32 root; // anchored, before or after the agreement's deadline
        bool anchoredInTime;
        uint96 bond;
        uint96 shownCumulative;
        uint40 openedAt;
        CaseState ended;
        uint96 requesterPosted; // bonds: a requester that accused falsely may post a second one, to contest
        uint96 providerPosted;
        int256 requesterGain; // of all calls on this case; negative for a loss
        int256 providerGain;
    }

    IComputeEscrow public immutable escrow;
    ITestToken public immutable token;
    IScriptedVerifier public immutable verifier;
    address internal immutable _OWNER;

    uint256 public donated;
    uint256 public deposited;
    uint256 public withdrawn;
    mapping(bytes4 action => uint256 successes) public successes;

    uint256[4] internal _keys = [uint256(11), 12, 13, 14];
    Memory[] internal _channels;
    Note[] internal _notes;
    uint96 private _counter;

    constructor(IComputeEscrow escrow_, ITestToken token_, IScriptedVerifier verifier_, address owner_) {
        escrow = escrow_;
        token = token_;
        verifier = verifier_;
        _OWNER = owner_;
        for (uint256 i = 0; i < _keys.length; ++i) _refill(vm.addr(_keys[i]), 1e24);
    }

    /// @dev After each action: nothing paid was unpaid, what was closed or ended stayed so, and no clock is longer than
    /// its moves allow.
    modifier counted() {
        _;
        ++successes[msg.sig];
        for (uint256 i = 0; i < _channels.length; ++i) {
            Memory storage m = _channels[i];
            Channel memory c = escrow.channel(m.id);
            require(c.settled >= m.settled, "settled fell");
            require(!m.seenClosed || c.status == ChannelStatus.Closed, "closed channel came back");
            m.settled = c.settled;
            m.seenClosed = m.closed;
        }
        for (uint256 i = 0; i < _notes.length; ++i) _look(_notes[i]);
    }

    function channels() external view returns (Memory[] memory) {
        return _channels;
    }

    function notes() external view returns (Note[] memory) {
        return _notes;
    }

    /// @dev Everybody who can have money in the escrow by the handler's doing.
    function accounts() public view returns (address[] memory list) {
        uint256 owners = _keys.length;
        list = new address[](owners + 5);
        for (uint256 i = 0; i < owners; ++i) list[i] = vm.addr(_keys[i]);
        for (uint256 i = 0; i < 3; ++i) list[owners + i] = vm.addr(SIGNER_KEYS + i);
        list[owners + 3] = vm.addr(PROVIDER_SIGNER_KEY);
        list[owners + 4] = address(verifier);
    }

    // ---------------------------------------------------------------------------------------------- channels

    function _open(uint256 requester, uint256 provider, uint96 amount, uint96 bond) internal returns (Memory storage) {
        return _openWithHold(requester, provider, amount, bond, 0);
    }

    function _openWithHold(
        uint256 requester,
        uint256 provider,
        uint96 amount,
        uint96 bond,
        uint40 hold
    ) internal returns (Memory storage m) {
        m = _channels.push();
        m.signerKey = SIGNER_KEYS + (requester % 3);
        m.providerKey = PROVIDER_SIGNER_KEY;
        m.parties = Parties({
            requester: _account(requester),
            provider: _account(provider),
            providerSigner: vm.addr(m.providerKey),
            nonce: (uint256(++_counter) << 160) | uint160(vm.addr(m.signerKey))
        });
        OpenTerms memory terms = _terms(m.parties, _within(amount, 1, 1e22), _within(bond, 0, 1e22));
        terms.bondHold = hold;
        bytes memory signature = _signBond(m, terms);
        _refill(m.parties.requester, terms.deposit);
        _refill(m.parties.provider, terms.bond);
        vm.prank(m.parties.requester);
        m.id = escrow.createChannel(terms, signature);
    }

    function _terms(Parties memory parties, uint96 amount, uint96 bond) internal view returns (OpenTerms memory) {
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

    function _signBond(Memory storage m, OpenTerms memory terms) internal view returns (bytes memory) {
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

    function _voucher(Memory storage m, uint96 cumulative) internal returns (Voucher memory) {
        if (cumulative > m.highestSigned) m.highestSigned = cumulative;
        return Voucher(ChannelId.unwrap(m.id), cumulative, 1, 0);
    }

    /// @dev A channel that is not closed; a new one if there is none.
    function _live(uint256 which) internal returns (Memory storage m) {
        for (uint256 i = 0; i < _channels.length; ++i) {
            m = _channels[((which % _channels.length) + i) % _channels.length];
            if (!m.closed) return m;
        }
        return _open(which, which >> 8, 1e18, 1e18);
    }

    /// @dev A channel that is not closed and has something left to pay; a new one if there is none.
    function _unspent(uint256 which) internal returns (Memory storage m) {
        m = _live(which);
        Channel memory c = escrow.channel(m.id);
        return c.settled < c.deposit ? m : _open(which, which >> 8, 1e18, 1e18);
    }

    function _close(Memory storage m, bool byKey, uint96 cumulative) internal returns (uint96 paid) {
        Voucher memory voucher = _voucher(m, cumulative);
        bytes memory signature = _sign(m.signerKey, escrow.digestOfVoucher(voucher));
        vm.prank(byKey ? m.parties.providerSigner : m.parties.provider);
        paid = escrow.claimAndClose(m.parties, voucher, signature);
        m.closed = true;
    }

    function _indexOf(Memory storage m) internal view returns (uint256) {
        for (uint256 i = 0; i < _channels.length; ++i) if (_channels[i].id == m.id) return i;
        revert("no such channel");
    }

    // ------------------------------------------------------------------------------------------------ anything

    /// @dev Free money of a provider and the fees taken from it.
    function _wealth(address provider) internal view returns (uint256) {
        return uint256(escrow.account(provider).free) + escrow.uncollectedFees(provider);
    }

    function _refill(address account, uint96 amount) internal {
        if (amount == 0) return;
        token.mint(address(this), amount);
        token.approve(address(escrow), amount);
        escrow.depositFor(account, amount);
        deposited += amount;
    }

    function _account(uint256 who) internal view returns (address) {
        return vm.addr(_keys[who % _keys.length]);
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _within(uint256 value, uint96 least, uint96 most) internal pure returns (uint96) {
        return least + uint96(value % (most - least + 1));
    }

    /// @dev An answer, a shown payment and a verdict each add one window at most.
    function _look(Note storage n) private {
        Case memory c = escrow.caseOf(n.id);
        require(c.state != CaseState.None, "case gone");
        require(n.ended == CaseState.None || c.state == n.ended, "ended case changed");
        if (uint8(c.state) > uint8(CaseState.Contested)) n.ended = c.state;
        uint40 most = n.openedAt + 3 * escrow.RESPONSE_WINDOW();
        if (c.state == CaseState.Contested) most += escrow.MAX_VERDICT_TIME() - escrow.RESPONSE_WINDOW();
        require(c.deadline <= most, "a case's clock runs too long");
    }
}
