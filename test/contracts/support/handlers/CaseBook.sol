// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {JobsTree} from "../../../../contracts/libraries/JobsTree.sol";
import {Messages} from "../../../../contracts/libraries/Messages.sol";
import {Case, CaseKind, CaseState, PaidJob} from "../../../../contracts/types/Cases.sol";
import {ChannelId} from "../../../../contracts/types/ChannelId.sol";
import {Channel, ChannelStatus, Parties} from "../../../../contracts/types/Channels.sol";
import {Agreement, Receipt, Voucher} from "../../../../contracts/types/SignedMessages.sol";
import {HandlerBase} from "./HandlerBase.sol";

/// @title Cases as the handlers make, find and measure them
abstract contract CaseBook is HandlerBase {
    /// @dev What a case is brought with.
    struct Papers {
        Parties parties;
        Agreement agreement;
        bytes requesterSignature;
        bytes providerSignature;
        Receipt receipt;
        bytes receiptSignature;
    }

    /// @dev What the two sides own in accounts, session keys' included, and in their channel.
    struct Worth {
        int256 requester;
        int256 provider;
        uint96 settled;
    }

    bytes32 internal constant NO_JOB = keccak256("another job");

    /// @dev Set of states and kinds to look for.
    function _bit(CaseState state, CaseKind kind) internal pure returns (uint256) {
        return 1 << (uint256(state) * 8 + uint256(kind));
    }

    function _anyKind(CaseState state) internal pure returns (uint256) {
        return 0xff << (uint256(state) * 8);
    }

    /// @dev Index + 1 of a case in one of the states and kinds, and, if `inTime`, still before its deadline; 0 for none.
    function _find(uint256 which, uint256 wanted, bool inTime) internal view returns (uint256) {
        for (uint256 i = 0; i < _notes.length; ++i) {
            uint256 place = ((which % _notes.length) + i) % _notes.length;
            Case memory c = escrow.caseOf(_notes[place].id);
            if ((_bit(c.state, c.kind) & wanted) == 0) continue;
            if (!inTime || block.timestamp <= c.deadline) return place + 1;
        }
        return 0;
    }

    function _openCase(uint256 seed, CaseKind kind, bool byKey) internal returns (Note storage n) {
        n = _agree(seed, kind);
        _bring(n, kind, byKey);
    }

    /// @dev Brings an agreement before the escrow.
    function _bring(Note storage n, CaseKind kind, bool byKey) internal {
        Memory storage m = _channels[n.channel];
        if (kind == CaseKind.NoShow && block.timestamp <= n.agreement.finishBy)
            vm.warp(uint256(n.agreement.finishBy) + 1);
        address opener = _side(m, kind == CaseKind.NonPayment, byKey);
        _refill(opener, n.agreement.caseBond << 8);
        Papers memory x = _papers(n);
        Worth memory before = _worth(m);
        vm.prank(opener);
        escrow.openCase(
            kind,
            x.parties,
            x.agreement,
            x.requesterSignature,
            x.providerSignature,
            x.receipt,
            x.receiptSignature
        );
        _noteOpened(n, kind == CaseKind.NonPayment);
        _measure(n, before);
    }

    function _noteOpened(Note storage n, bool byProvider) internal {
        n.bond = n.agreement.caseBond << escrow.caseOf(n.id).doublings;
        n.openedAt = uint40(block.timestamp);
        _notePosted(n, byProvider);
    }

    function _notePosted(Note storage n, bool provider) internal {
        if (provider) n.providerPosted += n.bond;
        else n.requesterPosted += n.bond;
    }

    /// @dev Makes and signs an agreement, in a channel where a case of this kind has something at stake.
    function _agree(uint256 seed, CaseKind kind) internal returns (Note storage n) {
        uint256 place = _disputable(seed, kind);
        Memory storage m = _channels[place];
        Channel memory c = escrow.channel(m.id);
        uint96 price = _within(seed >> 16, 1, 1e20);
        // A job may be paid in part, or, unless its pay is all there is to dispute, in full.
        uint96 unpaid =
            kind == CaseKind.NonPayment || c.bond == 0 ? _within(seed >> 24, 1, price) : _within(seed >> 24, 0, price);
        Agreement memory a;
        a.channel = ChannelId.unwrap(m.id);
        a.seq = uint64(_notes.length + 1);
        a.price = price;
        a.owedAfter = c.settled + unpaid;
        a.stake = _within(seed >> 32, 1, 1e20);
        a.caseBond = seed % 5 == 0 ? 0 : _within(seed >> 40, 1, 1e18);
        a.verifier =
            seed % 7 == 0
                ? address(0)
                : seed % 7 == 1
                    ? m.parties.requester
                    : address(verifier);
        a.finishBy = uint40(block.timestamp);
        a.disputeUntil = uint40(block.timestamp + 1 days);
        a.onUndecided = uint8(seed >> 48);
        if (a.owedAfter > m.highestSigned) m.highestSigned = a.owedAfter;
        n = _notes.push();
        n.channel = place;
        n.agreement = a;
        n.id = keccak256(abi.encode(Messages.AGREEMENT_TYPEHASH, a));
        n.receiptAmount = _within(seed >> 56, 1, 2 * price);
    }

    function _papers(Note storage n) internal view returns (Papers memory x) {
        Memory storage m = _channels[n.channel];
        x.parties = m.parties;
        x.agreement = n.agreement;
        bytes32 digest = escrow.digestOfAgreement(x.agreement);
        x.requesterSignature = _sign(m.signerKey, digest);
        x.providerSignature = _sign(m.providerKey, digest);
        x.receipt = _receipt(n, "result");
        x.receiptSignature = _sign(m.providerKey, escrow.digestOfReceipt(x.receipt));
    }

    function _receipt(Note storage n, bytes32 result) internal view returns (Receipt memory) {
        return Receipt(n.id, 1, n.receiptAmount, result, 0, keccak256("data"), 0);
    }

    function _receiptHash(Note storage n) internal view returns (bytes32) {
        return keccak256(abi.encode(Messages.RECEIPT_TYPEHASH, _receipt(n, "result")));
    }

    // --------------------------------------------------------------------------------------------- lists of jobs

    /// @dev A list of two, of which `job` is the second: what it says, and the first one's leaf as its proof.
    function _list(
        Memory storage m,
        uint96 cumulative,
        PaidJob memory job
    ) internal returns (Voucher memory voucher, bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = JobsTree.leaf(1, NO_JOB, 1);
        bytes32 second = JobsTree.leaf(job.seq, job.agreement, job.amount);
        voucher = _voucher(m, cumulative);
        (voucher.jobs, voucher.jobsRoot) = (2, keccak256(abi.encodePacked(proof[0], second)));
    }

    function _job(Note storage n) internal view returns (PaidJob memory) {
        return PaidJob(n.agreement.seq, n.id, n.agreement.price, 1);
    }

    // ------------------------------------------------------------------------------------------------- measures

    function _side(Memory storage m, bool provider, bool byKey) internal view returns (address) {
        if (provider) return byKey ? m.parties.providerSigner : m.parties.provider;
        return byKey ? address(uint160(m.parties.nonce)) : m.parties.requester;
    }

    /// @dev Fees that were taken from a provider's pay were its money.
    function _worth(Memory storage m) internal view returns (Worth memory w) {
        Channel memory c = escrow.channel(m.id);
        uint256 ofRequester = escrow.account(m.parties.requester).free;
        ofRequester += uint256(escrow.account(address(uint160(m.parties.nonce))).free) + c.deposit - c.settled;
        uint256 ofProvider = _wealth(m.parties.provider) + escrow.account(m.parties.providerSigner).free + c.bond;
        return Worth(int256(ofRequester), int256(ofProvider), c.settled);
    }

    /// @dev Adds up what one call on a case moved, and when it ended holds the sum to what both signed.
    function _measure(Note storage n, Worth memory before) internal {
        Memory storage m = _channels[n.channel];
        Worth memory w = _worth(m);
        if (w.settled != before.settled) m.paidByCase = true;
        n.requesterGain += w.requester - before.requester;
        n.providerGain += w.provider - before.provider;
        if (uint8(escrow.caseOf(n.id).state) <= uint8(CaseState.Contested)) return;
        // One who is both sides plays against himself, and one who is paid as the verifier or the treasury gains by that.
        if (m.parties.requester == m.parties.provider) return;
        int256 price = int256(uint256(n.agreement.price));
        int256 stake = int256(uint256(n.agreement.stake));
        (int256 ofRequester, int256 ofProvider) = (
            int256(uint256(n.requesterPosted)),
            int256(uint256(n.providerPosted))
        );
        require(n.requesterGain >= -price - ofRequester, "requester lost more than price and bonds");
        require(n.providerGain >= -stake - ofProvider, "provider lost more than stake and bonds");
        if (escrow.treasury() == m.parties.requester || escrow.treasury() == m.parties.provider) return;
        if (n.agreement.verifier == m.parties.requester) return;
        require(n.requesterGain <= price + ofProvider, "requester gained more than price and bonds");
        require(n.providerGain <= price + ofRequester, "provider gained more than price and bonds");
    }

    /// @dev Index of a channel in which a case of this kind can be opened; a new channel if there is none.
    function _disputable(uint256 which, CaseKind kind) private returns (uint256) {
        for (uint256 i = 0; i < _channels.length; ++i) {
            uint256 place = ((which % _channels.length) + i) % _channels.length;
            Channel memory c = escrow.channel(_channels[place].id);
            bool live = c.status != ChannelStatus.Closed && c.settled < c.deposit;
            bool byProvider = kind == CaseKind.NonPayment;
            if ((byProvider ? c.providerCases : c.requesterCases) >= escrow.MAX_OPEN_CASES()) continue;
            // A no-show is opened a second from now.
            bool held = c.bond != 0 && block.timestamp < c.bondFreeAt;
            if (live || (!byProvider && (c.status == ChannelStatus.Closed ? held : c.bond != 0))) return place;
        }
        _openWithHold(which, which >> 8, 1e20, 1e20, which % 3 == 0 ? 0 : 10 days);
        return _channels.length - 1;
    }
}
