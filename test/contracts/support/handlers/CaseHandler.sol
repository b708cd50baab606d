// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Case, CaseKind, CaseState} from "../../../../contracts/types/Cases.sol";
import {Agreement, Receipt} from "../../../../contracts/types/SignedMessages.sol";
import {CaseBook} from "./CaseBook.sol";

/// @title Cases: opened, answered, contested, ruled on and timed out
abstract contract CaseHandler is CaseBook {
    uint8 private constant ANSWER = 0;
    uint8 private constant MEGABYTES = 3;
    uint8 private constant FLIP = 7;

    function openNonPayment(uint256 seed, bool byKey) external counted {
        _openCase(seed, CaseKind.NonPayment, byKey);
    }

    function openWrongResult(uint256 seed, bool byKey) external counted {
        _openCase(seed, CaseKind.WrongResult, byKey);
    }

    function openNoShow(uint256 seed, bool byKey) external counted {
        Note storage n = _openCase(seed, CaseKind.NoShow, byKey);
        // One agreement has one case.
        Papers memory x = _papers(n);
        (bytes memory r, bytes memory p) = (x.requesterSignature, x.providerSignature);
        vm.prank(x.parties.requester);
        try escrow.openCase(CaseKind.WrongResult, x.parties, x.agreement, r, p, x.receipt, x.receiptSignature) {
            revert("two cases of one agreement");
        } catch {}
    }

    function concede(uint256 which, bool byKey) external counted {
        uint256 found = _find(which, _anyKind(CaseState.Opened) | _anyKind(CaseState.Contested), false);
        Note storage n = found != 0 ? _notes[found - 1] : _openCase(which, CaseKind.NonPayment, byKey);
        Memory storage m = _channels[n.channel];
        Agreement memory a = n.agreement;
        address accused = _side(m, !_byProvider(n), byKey);
        Worth memory before = _worth(m);
        vm.prank(accused);
        escrow.concede(m.parties, a);
        _measure(n, before);
    }

    function contest(uint256 which, uint8 behaviour, uint96 fee, uint40 duration, bool byKey) external counted {
        verifier.set(behaviour % 8, 0, fee, duration);
        uint256 wanted =
            _bit(CaseState.Opened, CaseKind.NonPayment) |
                _bit(CaseState.Opened, CaseKind.WrongResult) |
                _bit(CaseState.Opened, CaseKind.Delivered);
        uint256 found = _find(which, wanted, true);
        CaseKind kind = which % 2 == 0 ? CaseKind.NonPayment : CaseKind.WrongResult;
        _contest(found != 0 ? _notes[found - 1] : _openCase(which, kind, byKey), byKey);
    }

    /// @dev Whatever the verifier does: a proper verdict counts, anything else is the split, after the deadline.
    function resolve(uint256 which, uint8 behaviour, uint256 verdict) external counted {
        verifier.set(ANSWER, 0, 1e15, 1 days);
        uint256 found = _find(which, _anyKind(CaseState.Contested), false);
        Note storage n = found != 0 ? _notes[found - 1] : _openCase(which, CaseKind.WrongResult, false);
        if (found == 0) _contest(n, false);
        behaviour = behaviour % 8;
        verifier.set(behaviour, verdict % 6, 0, 0);
        Memory storage m = _channels[n.channel];
        Agreement memory a = n.agreement;
        bool answers = behaviour == ANSWER || behaviour == MEGABYTES || behaviour == FLIP;
        if (behaviour == FLIP) verdict = block.timestamp % 2 == 0 ? 1 : 2;
        bool ruled = answers && a.verifier == address(verifier) && verdict % 6 != 0 && verdict % 6 < 4;
        uint40 deadline = escrow.caseOf(n.id).deadline;
        if (!ruled && block.timestamp <= deadline) {
            try escrow.resolve(m.parties, a) {
                revert("split before the verifier's time was over");
            } catch {}
            vm.warp(uint256(deadline) + 1);
        }
        // A verdict counts as long as nobody called; one that flips says something else by now.
        if (behaviour == FLIP) ruled = a.verifier == address(verifier);
        if (behaviour == FLIP) verdict = block.timestamp % 2 == 0 ? 1 : 2;
        Worth memory before = _worth(m);
        vm.prank(STRANGER);
        CaseState outcome = escrow.resolve(m.parties, a);
        CaseState expected =
            !ruled || verdict % 6 == 3
                ? CaseState.Undecided
                : verdict % 6 == 1
                    ? CaseState.ProviderRight
                    : CaseState.ProviderWrong;
        require(outcome == expected, "not what the verifier said");
        _measure(n, before);
    }

    function timeoutCase(uint256 which) external counted {
        uint256 found = _find(which, _anyKind(CaseState.Opened) | _anyKind(CaseState.PaidShown), false);
        Note storage n = found != 0 ? _notes[found - 1] : _openCase(which, CaseKind.NoShow, false);
        Memory storage m = _channels[n.channel];
        Agreement memory a = n.agreement;
        uint40 deadline = escrow.caseOf(n.id).deadline;
        if (block.timestamp <= deadline) {
            try escrow.timeoutCase(m.parties, a) {
                revert("ended before its time was over");
            } catch {}
            vm.warp(uint256(deadline) + 1);
        }
        Worth memory before = _worth(m);
        vm.prank(STRANGER);
        escrow.timeoutCase(m.parties, a);
        _measure(n, before);
    }

    /// @dev Two receipts: on an agreement without a case, or while it has one.
    function equivocate(uint256 which, bool inCase) external counted {
        uint256 open = _anyKind(CaseState.Opened) | _anyKind(CaseState.PaidShown) | _anyKind(CaseState.Contested);
        uint256 found = inCase ? _find(which, open, false) : 0;
        Note storage n = found != 0 ? _notes[found - 1] : _agree(which, CaseKind.WrongResult);
        if (n.openedAt == 0) n.openedAt = uint40(block.timestamp);
        Memory storage m = _channels[n.channel];
        Papers memory x = _papers(n);
        Receipt[2] memory receipts = [x.receipt, _receipt(n, "another result")];
        bytes[2] memory signatures = [x.receiptSignature, _sign(m.providerKey, escrow.digestOfReceipt(receipts[1]))];
        Worth memory before = _worth(m);
        vm.prank(STRANGER);
        escrow.equivocate(x.parties, x.agreement, x.requesterSignature, x.providerSignature, receipts, signatures);
        _measure(n, before);
    }

    /// @dev A pause stops new money only: cases open, are contested and end.
    function useCasesWhilePaused(uint256 seed) external counted {
        Note storage n = _agree(seed, CaseKind.WrongResult);
        Memory storage m = _channels[n.channel];
        uint96 bonds = n.agreement.caseBond << 8;
        _refill(m.parties.requester, bonds);
        _refill(m.parties.provider, bonds);
        verifier.set(ANSWER, 1 + (seed % 3), 1, 1);
        vm.prank(_OWNER);
        escrow.pause();
        _pausedCase(n);
        vm.prank(_OWNER);
        escrow.unpause();
    }

    // ------------------------------------------------------------------------------------------------ making

    function _contest(Note storage n, bool byKey) internal {
        Memory storage m = _channels[n.channel];
        address accused = _side(m, !_byProvider(n), byKey);
        _refill(accused, n.bond);
        _contestAs(n, accused);
    }

    function _byProvider(Note storage n) internal view returns (bool) {
        CaseKind kind = escrow.caseOf(n.id).kind;
        return kind == CaseKind.NonPayment || kind == CaseKind.Delivered;
    }

    function _contestAs(Note storage n, address accused) private {
        Papers memory x = _papers(n);
        Worth memory before = _worth(_channels[n.channel]);
        bool againstRequester = _byProvider(n);
        vm.prank(accused);
        escrow.contest(x.parties, x.agreement, x.receipt, x.receiptSignature);
        Case memory c = escrow.caseOf(n.id);
        require(c.verifierFee <= n.bond, "the verifier costs more than a bond");
        _notePosted(n, !againstRequester);
        _measure(n, before);
    }

    function _pausedCase(Note storage n) private {
        Memory storage m = _channels[n.channel];
        Papers memory x = _papers(n);
        Worth memory before = _worth(m);
        vm.prank(m.parties.requester);
        escrow.openCase(
            CaseKind.WrongResult,
            x.parties,
            x.agreement,
            x.requesterSignature,
            x.providerSignature,
            x.receipt,
            x.receiptSignature
        );
        _noteOpened(n, false);
        _measure(n, before);
        _contestAs(n, m.parties.provider);
        if (x.agreement.verifier != address(verifier)) vm.warp(uint256(escrow.caseOf(n.id).deadline) + 1);
        before = _worth(m);
        escrow.resolve(m.parties, x.agreement);
        _measure(n, before);
    }
}
