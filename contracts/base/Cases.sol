// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {CaseLimits} from "../libraries/CaseLimits.sol";
import {ICaseActions} from "../interfaces/ICaseActions.sol";
import {Deadlines} from "../libraries/Deadlines.sol";
import {JobsTree} from "../libraries/JobsTree.sol";
import {Messages} from "../libraries/Messages.sol";
import {VerifierCalls} from "../libraries/VerifierCalls.sol";
import {Verdict} from "../interfaces/IVerifier.sol";
import {PAID_BY_CASE} from "../types/BondWord.sol";
import {CaseKind, CaseSlots, CaseState, CONTESTED_BY_KEY, DOUBLINGS, OPENED_BY_KEY, PaidJob} from "../types/Cases.sol";
import {ChannelId} from "../types/ChannelId.sol";
import {ChannelWord} from "../types/ChannelWord.sol";
import {ChannelStatus, Parties} from "../types/Channels.sol";
import {Agreement, Receipt, Voucher} from "../types/SignedMessages.sol";
import {Docket} from "./Docket.sol";

/// @title The life of a case
/// @notice Any one job, brought before the escrow by its doubly signed agreement: open, answer, contest, end.
abstract contract Cases is Docket, ICaseActions {
    using Deadlines for uint40;
    using Messages for *;

    /// @inheritdoc ICaseActions
    function anchor(bytes32 root) external {
        if (_anchors[msg.sender][root] != 0) return;
        _anchors[msg.sender][root] = uint40(block.timestamp);
        emit Anchored(msg.sender, root);
    }

    /// @inheritdoc ICaseActions
    function openCase(
        CaseKind kind,
        Parties calldata parties,
        Agreement calldata agreement,
        bytes calldata requesterSignature,
        bytes calldata providerSignature,
        Receipt calldata receipt,
        bytes calldata receiptSignature
    ) external returns (bytes32 caseId) {
        OpenCase memory opened = _new(kind, parties, agreement, requesterSignature, providerSignature);
        caseId = opened.id;
        uint96 most = agreement.price;
        if (kind == CaseKind.NoShow) {
            if (!agreement.finishBy.expired()) revert ComputeEscrowTooEarly(agreement.finishBy);
        } else {
            if (kind != CaseKind.NonPayment && kind != CaseKind.WrongResult) revert ComputeEscrowWrongKind(kind);
            _checkReceipt(caseId, parties, receipt, receiptSignature);
            if (receipt.amount < most) most = receipt.amount;
        }
        _checkSide(parties, kind == CaseKind.NonPayment);
        ChannelWord word = _channels[opened.channel].word;
        uint96 amount;
        // A closed channel has nothing left of its deposit but what other cases hold.
        if (word.isLive()) amount = _unpaid(word, agreement.owedAfter, most);
        if (kind == CaseKind.NonPayment && amount == 0)
            revert ComputeEscrowNothingToClaim(opened.channel, agreement.owedAfter, word.settled());
        uint40 deadline = CaseLimits.RESPONSE_WINDOW.from();
        (uint96 bond, uint96 stake) = _hold(opened, parties, agreement, amount, deadline);
        if (most > amount && kind != CaseKind.WrongResult) _cases[caseId].asked = most;
        emit CaseOpened(caseId, opened.channel, kind, msg.sender, bond, amount, stake, deadline);
    }

    /// @inheritdoc ICaseActions
    function equivocate(
        Parties calldata parties,
        Agreement calldata agreement,
        bytes calldata requesterSignature,
        bytes calldata providerSignature,
        Receipt[2] calldata receipts,
        bytes[2] calldata receiptSignatures
    ) external returns (bytes32 caseId) {
        caseId = agreement.hash();
        if (receipts[0].hash() == receipts[1].hash()) revert ComputeEscrowSameReceipt();
        for (uint256 i = 0; i < receipts.length; ++i) _checkReceipt(caseId, parties, receipts[i], receiptSignatures[i]);
        OpenCase memory opened;
        CaseState state = _cases[caseId].state;
        if (state == CaseState.None) {
            opened = _new(CaseKind.Equivocation, parties, agreement, requesterSignature, providerSignature);
            _hold(opened, parties, agreement, 0, 0);
        } else {
            if (!_isOpen(state)) revert ComputeEscrowWrongCaseState(caseId, state);
            opened = _caseIn(parties, agreement, state, state);
        }
        emit Equivocated(caseId, msg.sender, receipts[0].hash(), receipts[1].hash());
        _end(opened, parties, agreement, CaseState.ProviderWrong, Ending.Proof);
    }

    /// @inheritdoc ICaseActions
    function concede(Parties calldata parties, Agreement calldata agreement) external {
        OpenCase memory opened = _caseIn(parties, agreement, CaseState.Opened, CaseState.Contested);
        bool byProvider = _byProvider(opened.kind);
        _checkSide(parties, !byProvider);
        CaseState outcome = byProvider ? CaseState.ProviderRight : CaseState.ProviderWrong;
        _end(opened, parties, agreement, outcome, Ending.Conceded);
    }

    /// @inheritdoc ICaseActions
    function contest(
        Parties calldata parties,
        Agreement calldata agreement,
        Receipt calldata receipt,
        bytes calldata receiptSignature
    ) external {
        OpenCase memory opened = _caseIn(parties, agreement, CaseState.Opened, CaseState.Opened);
        if (opened.kind == CaseKind.NoShow) revert ComputeEscrowWrongKind(opened.kind);
        CaseSlots storage c = _turnOf(opened);
        _checkSide(parties, !_byProvider(opened.kind));
        _checkReceipt(opened.id, parties, receipt, receiptSignature);
        uint96 bond = _post(opened, parties, agreement, CONTESTED_BY_KEY);
        (uint256 fee, uint256 duration) = VerifierCalls.quote(agreement.verifier, agreement.verifierParams);
        if (fee > bond) fee = bond;
        if (duration > CaseLimits.MAX_VERDICT_TIME) duration = CaseLimits.MAX_VERDICT_TIME;
        uint40 deadline = uint40(duration).from();
        if (fee != 0) c.verifierFee = uint96(fee);
        c.evidence = receipt.hash();
        (c.deadline, c.state, c.marks) = (deadline, CaseState.Contested, opened.marks);
        emit CaseContested(opened.id, msg.sender, c.evidence, uint96(fee), deadline);
    }

    /// @inheritdoc ICaseActions
    function resolve(Parties calldata parties, Agreement calldata agreement) external returns (CaseState outcome) {
        OpenCase memory opened = _caseIn(parties, agreement, CaseState.Contested, CaseState.Contested);
        uint256 verdict = VerifierCalls.verdict(agreement.verifier, opened.id);
        Ending how = Ending.Verdict;
        if (verdict == uint256(Verdict.ProviderRight)) outcome = CaseState.ProviderRight;
        else if (verdict == uint256(Verdict.ProviderWrong)) outcome = CaseState.ProviderWrong;
        else {
            bool never = verdict == uint256(Verdict.Undecided);
            if (!never && !opened.deadline.expired()) revert ComputeEscrowTooEarly(opened.deadline);
            (outcome, how) = (CaseState.Undecided, Ending.Silence);
        }
        _end(opened, parties, agreement, outcome, how);
    }

    /// @inheritdoc ICaseActions
    function timeoutCase(Parties calldata parties, Agreement calldata agreement) external returns (CaseState outcome) {
        OpenCase memory opened = _caseIn(parties, agreement, CaseState.Opened, CaseState.PaidShown);
        if (!opened.deadline.expired()) revert ComputeEscrowTooEarly(opened.deadline);
        if (opened.state == CaseState.PaidShown) outcome = CaseState.Paid;
        else outcome = _byProvider(opened.kind) ? CaseState.ProviderRight : CaseState.ProviderWrong;
        _end(opened, parties, agreement, outcome, Ending.Silence);
    }

    /// @inheritdoc ICaseActions
    function showReceipt(
        Parties calldata parties,
        Agreement calldata agreement,
        Receipt calldata receipt,
        bytes calldata receiptSignature,
        bytes32 root,
        bytes32[] calldata proof
    ) external {
        OpenCase memory opened = _caseIn(parties, agreement, CaseState.Opened, CaseState.Opened);
        if (opened.kind != CaseKind.NoShow) revert ComputeEscrowWrongKind(opened.kind);
        CaseSlots storage c = _turnOf(opened);
        _checkSide(parties, true);
        _checkReceipt(opened.id, parties, receipt, receiptSignature);
        uint40 anchoredAt_ = _anchors[parties.providerSigner][root];
        bool inTime =
            anchoredAt_ != 0 &&
                anchoredAt_ <= agreement.finishBy &&
                MerkleProof.verifyCalldata(proof, root, receipt.hash());
        bool byKey = opened.marks & OPENED_BY_KEY != 0;
        opened.marks &= DOUBLINGS;
        uint96 bond = _post(opened, parties, agreement, OPENED_BY_KEY);
        // The accusation was false only if the receipt is proven to be no younger than the deadline.
        bond = _giveBond(parties, inTime, byKey && !inTime, bond);
        if (bond != 0) _credit(parties.provider, bond);
        if (c.amount > receipt.amount) {
            unchecked {
                _unfreeze(opened.channel, c.amount - receipt.amount);
            }
            c.amount = receipt.amount;
        }
        if (c.asked > receipt.amount) c.asked = receipt.amount;
        uint40 deadline = CaseLimits.RESPONSE_WINDOW.from();
        (c.kind, c.deadline, c.marks) = (CaseKind.Delivered, deadline, opened.marks);
        emit ReceiptShown(opened.id, receipt.hash(), inTime, deadline);
    }

    /// @inheritdoc ICaseActions
    function provePaid(
        Parties calldata parties,
        Agreement calldata agreement,
        Voucher calldata voucher,
        bytes calldata signature,
        PaidJob calldata job,
        bytes32[] calldata proof
    ) external {
        OpenCase memory opened = _caseIn(parties, agreement, CaseState.Opened, CaseState.Opened);
        if (!_byProvider(opened.kind)) revert ComputeEscrowWrongKind(opened.kind);
        CaseSlots storage c = _turnOf(opened);
        _checkVoucher(parties, voucher, signature);
        uint96 total = voucher.cumulative;
        uint64 last;
        unchecked {
            last = voucher.jobs - 1; // of an empty list no proof leads anywhere
        }
        if (
            job.agreement != opened.id ||
            job.amount < c.amount ||
            job.amount < c.asked ||
            // A total of less than the job is none of a list that holds it.
            job.amount > total ||
            // What follows in a list could hide from {disprovePaid}.
            job.index != last ||
            total > _channels[opened.channel].word.settled() ||
            // Money that a case paid could pass for a voucher's here, and nobody could contradict that.
            _channels[opened.channel].bonds.flags() & PAID_BY_CASE != 0
        ) revert ComputeEscrowNotPaid(opened.id);
        _checkInJobs(job, voucher, proof);
        uint40 deadline = CaseLimits.RESPONSE_WINDOW.from();
        c.evidence = _shown(voucher, job);
        (c.deadline, c.state) = (deadline, CaseState.PaidShown);
        emit PaidShown(
            opened.id,
            voucher.cumulative,
            voucher.jobs,
            voucher.jobsRoot,
            job.seq,
            job.amount,
            job.index,
            deadline
        );
    }

    /// @inheritdoc ICaseActions
    function disprovePaid(
        Parties calldata parties,
        Agreement calldata agreement,
        Voucher calldata shownVoucher,
        PaidJob calldata shownJob,
        Voucher calldata other,
        bytes calldata signature,
        PaidJob calldata otherJob,
        bytes32[] calldata proof
    ) external {
        OpenCase memory opened = _caseIn(parties, agreement, CaseState.PaidShown, CaseState.PaidShown);
        if (_turnOf(opened).evidence != _shown(shownVoucher, shownJob)) revert ComputeEscrowNotShown(opened.id);
        _checkVoucher(parties, other, signature);
        bool contradicts;
        if (other.jobs > shownJob.index) {
            _checkInJobs(otherJob, other, proof);
            // A list that only grows has one job in one place, and a total that leaves room for what came later. What
            // was shown is the last of its list.
            if (otherJob.index == shownJob.index) contradicts = _leaf(otherJob) != _leaf(shownJob);
            else if (otherJob.index > shownJob.index) contradicts = _noRoom(shownVoucher, otherJob, other);
        } else contradicts = _noRoom(other, shownJob, shownVoucher);
        if (!contradicts) revert ComputeEscrowNoContradiction(opened.id);
        _end(opened, parties, agreement, CaseState.ProviderRight, Ending.Proof);
    }

    // ------------------------------------------------------------------------------------------------- checks

    /// @dev A case to be opened: both signed its agreement, it is not too late, and there was none before.
    function _new(
        CaseKind kind,
        Parties calldata parties,
        Agreement calldata agreement,
        bytes calldata requesterSignature,
        bytes calldata providerSignature
    ) private view returns (OpenCase memory) {
        ChannelId id = _named(agreement.channel, parties);
        ChannelStatus status = _channels[id].word.status();
        if (status == ChannelStatus.None) revert ComputeEscrowWrongStatus(id, status);
        if (status == ChannelStatus.Closed && _channels[id].bonds.time().expired())
            revert ComputeEscrowExpired(_channels[id].bonds.time());
        bytes32 caseId = agreement.hash();
        if (_cases[caseId].state != CaseState.None) revert ComputeEscrowWrongCaseState(caseId, _cases[caseId].state);
        if (agreement.disputeUntil.expired()) revert ComputeEscrowExpired(agreement.disputeUntil);
        bytes32 digest = _hashTypedDataV4(caseId);
        _checkSigner(Messages.requesterSigner(parties.nonce), digest, requesterSignature);
        _checkSigner(parties.providerSigner, digest, providerSignature);
        return OpenCase(caseId, id, kind, CaseState.Opened, 0, 0);
    }

    function _checkReceipt(
        bytes32 caseId,
        Parties calldata parties,
        Receipt calldata receipt,
        bytes calldata signature
    ) private view {
        if (receipt.agreement != caseId) revert ComputeEscrowWrongReceipt(caseId, receipt.agreement);
        _checkSigner(parties.providerSigner, _hashTypedDataV4(receipt.hash()), signature);
    }

    /// @dev Only one side's owner account or session key.
    function _checkSide(Parties calldata parties, bool provider) private view {
        bool allowed =
            provider
                ? msg.sender == parties.provider || msg.sender == parties.providerSigner
                : msg.sender == parties.requester || msg.sender == Messages.requesterSigner(parties.nonce);
        if (!allowed) revert ComputeEscrowNotAllowed(msg.sender);
    }

    /// @dev The case, while it is still somebody's turn.
    function _turnOf(OpenCase memory opened) private view returns (CaseSlots storage c) {
        if (opened.deadline.expired()) revert ComputeEscrowExpired(opened.deadline);
        c = _cases[opened.id];
    }

    function _checkInJobs(PaidJob calldata job, Voucher calldata voucher, bytes32[] calldata proof) private pure {
        if (!JobsTree.proves(voucher.jobsRoot, _leaf(job), job.index, voucher.jobs, proof))
            revert ComputeEscrowBadJobProof(job.index);
    }

    /// @dev True when a list that ended before `job` and one that holds it have totals that cannot both be true.
    function _noRoom(
        Voucher calldata before,
        PaidJob calldata job,
        Voucher calldata holding
    ) private pure returns (bool) {
        unchecked {
            return uint256(before.cumulative) + job.amount > holding.cumulative; // two values below 2^96
        }
    }

    /// @dev What can still be paid for a job: at most `most`, at most what both signed would be owed, at most what is there.
    function _unpaid(ChannelWord word, uint96 owedAfter, uint96 most) private pure returns (uint96) {
        (uint96 paid, ) = _due(word, owedAfter);
        return paid < most ? paid : most;
    }

    function _leaf(PaidJob calldata job) private pure returns (bytes32) {
        return JobsTree.leaf(job.seq, job.agreement, job.amount);
    }

    function _shown(Voucher calldata voucher, PaidJob calldata job) private pure returns (bytes32) {
        return keccak256(abi.encode(voucher, job));
    }

    function _isOpen(CaseState state) private pure returns (bool) {
        return state == CaseState.Opened || state == CaseState.PaidShown || state == CaseState.Contested;
    }
}
