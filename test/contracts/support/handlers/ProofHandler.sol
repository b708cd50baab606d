// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {CaseKind, CaseState, PaidJob} from "../../../../contracts/types/Cases.sol";
import {ChannelId} from "../../../../contracts/types/ChannelId.sol";
import {Voucher} from "../../../../contracts/types/SignedMessages.sol";
import {CaseHandler} from "./CaseHandler.sol";

/// @title Proofs: anchored receipts, and vouchers that show or deny that a job was paid
abstract contract ProofHandler is CaseHandler {
    bytes32 private constant SIBLING = keccak256("another receipt");

    /// @dev What a proof of payment is shown with.
    struct Shown {
        Voucher voucher;
        PaidJob job;
        bytes32[] proof;
        bytes signature;
    }

    /// @dev A root of receipts that no case is about.
    function anchor(bytes32 root) external counted {
        vm.prank(vm.addr(PROVIDER_SIGNER_KEY));
        escrow.anchor(root);
        uint40 first = escrow.anchoredAt(vm.addr(PROVIDER_SIGNER_KEY), root);
        require(first != 0 && first <= block.timestamp, "not on record");
    }

    /// @dev The receipt is anchored in time, late, or not at all; in each case it saves the stake.
    function showReceipt(uint256 which, uint8 when, bool byKey) external counted {
        uint256 found = when % 3 == 0 ? _find(which, _bit(CaseState.Opened, CaseKind.NoShow), true) : 0;
        Note storage n = found != 0 ? _notes[found - 1] : _agree(which, CaseKind.NoShow);
        if (found == 0) {
            if (when % 3 == 1) _anchorReceipt(n);
            _bring(n, CaseKind.NoShow, byKey);
            if (when % 3 == 2) _anchorReceipt(n);
        }
        Memory storage m = _channels[n.channel];
        address shower = _side(m, true, byKey);
        _refill(shower, n.bond);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = SIBLING;
        uint256 atFirst = escrow.account(m.parties.requester).free;
        _show(n, shower, proof);
        if (m.parties.requester != m.parties.provider && !byKey && found == 0) {
            uint256 returned = escrow.account(m.parties.requester).free - atFirst;
            require(
                returned == (n.anchoredInTime ? 0 : n.bond),
                "who accused falsely has its bond back, or the reverse"
            );
        }
    }

    /// @dev The voucher may be a lie: the chain cannot tell yet.
    function provePaid(uint256 which, bool delivered) external counted {
        _provePaid(which, delivered ? CaseKind.Delivered : CaseKind.NonPayment);
    }

    function disprovePaid(uint256 which, bool shorter) external counted {
        uint256 found = _find(which, _anyKind(CaseState.PaidShown), true);
        Note storage n = found != 0 ? _notes[found - 1] : _provePaid(which, CaseKind.NonPayment);
        Memory storage m = _channels[n.channel];
        Shown memory shown = _shown(n);
        _disprove(n, shown, shown, false);
        Shown memory other = _shown(n);
        if (shorter) {
            // The same total for a list that ends before the job leaves no room for it.
            other.voucher = Voucher(ChannelId.unwrap(m.id), n.shownCumulative, 1, keccak256("one job"));
        } else {
            other.job = PaidJob(n.agreement.seq, NO_JOB, n.agreement.price, 1);
            (other.voucher, other.proof) = _list(m, n.shownCumulative, other.job);
        }
        other.signature = _sign(m.signerKey, escrow.digestOfVoucher(other.voucher));
        Worth memory before = _worth(m);
        _disprove(n, shown, other, true);
        _measure(n, before);
    }

    // ------------------------------------------------------------------------------------------------ making

    function _anchorReceipt(Note storage n) private {
        bytes32 leaf = _receiptHash(n);
        n.root = keccak256(leaf < SIBLING ? abi.encodePacked(leaf, SIBLING) : abi.encodePacked(SIBLING, leaf));
        n.anchoredInTime = block.timestamp <= n.agreement.finishBy;
        vm.prank(vm.addr(PROVIDER_SIGNER_KEY));
        escrow.anchor(n.root);
    }

    function _show(Note storage n, address shower, bytes32[] memory proof) private {
        Papers memory x = _papers(n);
        bytes32 root = n.root;
        Worth memory before = _worth(_channels[n.channel]);
        vm.prank(shower);
        escrow.showReceipt(x.parties, x.agreement, x.receipt, x.receiptSignature, root, proof);
        require(escrow.caseOf(n.id).kind == CaseKind.Delivered, "not about its pay");
        _notePosted(n, true);
        _measure(n, before);
    }

    function _provePaid(uint256 which, CaseKind kind) private returns (Note storage n) {
        uint256 found = _find(which, _bit(CaseState.Opened, kind), true);
        if (found == 0) found = _find(which, _bit(CaseState.Opened, CaseKind.NonPayment), true);
        if (found != 0 && !_canShowPayment(_notes[found - 1])) {
            _refusePayment(_notes[found - 1]);
            found = 0;
        }
        if (found == 0) _openPaid(which);
        n = found != 0 ? _notes[found - 1] : _openCase(_channels.length - 1, CaseKind.NonPayment, false);
        Memory storage m = _channels[n.channel];
        n.shownCumulative = escrow.channel(m.id).settled;
        Shown memory shown = _shown(n);
        Papers memory x = _papers(n);
        // A total that was not paid proves nothing.
        Voucher memory unclaimed = Voucher(shown.voucher.channel, n.shownCumulative + 1, 2, shown.voucher.jobsRoot);
        bytes memory signature = _sign(m.signerKey, escrow.digestOfVoucher(unclaimed));
        if (unclaimed.cumulative > m.highestSigned) m.highestSigned = unclaimed.cumulative;
        try escrow.provePaid(x.parties, x.agreement, unclaimed, signature, shown.job, shown.proof) {
            revert("shown paid by a voucher that was not");
        } catch {}
        Worth memory before = _worth(m);
        vm.prank(STRANGER);
        escrow.provePaid(x.parties, x.agreement, shown.voucher, shown.signature, shown.job, shown.proof);
        _measure(n, before);
    }

    /// @dev A new channel that paid for some jobs by voucher.
    function _openPaid(uint256 which) private {
        Memory storage m = _open(which, which >> 8, 1e18, 1e18);
        Voucher memory voucher = _voucher(m, 1e17);
        bytes memory signature = _sign(m.signerKey, escrow.digestOfVoucher(voucher));
        escrow.claim(m.parties, voucher, signature);
    }

    function _canShowPayment(Note storage n) private view returns (bool) {
        Memory storage m = _channels[n.channel];
        return !m.paidByCase && escrow.channel(m.id).settled >= n.agreement.price;
    }

    /// @dev Nor does a total that does not reach the job's price show its payment; and where a case paid, no total does.
    function _refusePayment(Note storage n) private {
        n.shownCumulative = escrow.channel(_channels[n.channel].id).settled;
        Shown memory shown = _shown(n);
        Papers memory x = _papers(n);
        try escrow.provePaid(x.parties, x.agreement, shown.voucher, shown.signature, shown.job, shown.proof) {
            revert("shown paid by what did not pay it");
        } catch {}
    }

    function _shown(Note storage n) private returns (Shown memory shown) {
        Memory storage m = _channels[n.channel];
        shown.job = _job(n);
        (shown.voucher, shown.proof) = _list(m, n.shownCumulative, shown.job);
        shown.signature = _sign(m.signerKey, escrow.digestOfVoucher(shown.voucher));
    }

    function _disprove(Note storage n, Shown memory shown, Shown memory other, bool succeeds) private {
        Papers memory x = _papers(n);
        vm.prank(STRANGER);
        try
            escrow.disprovePaid(
                x.parties,
                x.agreement,
                shown.voucher,
                shown.job,
                other.voucher,
                other.signature,
                other.job,
                other.proof
            )
        {
            require(succeeds, "a voucher contradicts itself");
        } catch {
            require(!succeeds, "a contradiction was refused");
        }
    }
}
