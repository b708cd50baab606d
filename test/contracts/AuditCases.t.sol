// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {CaseKind, CaseState, PaidJob} from "../../contracts/types/Cases.sol";
import {ChannelId} from "../../contracts/types/ChannelId.sol";
import {Agreement, Receipt, Voucher} from "../../contracts/types/SignedMessages.sol";
import {CaseFixture} from "./support/CaseFixture.sol";

/// @title Who lies about a payment gains nothing by it
contract AuditCasesTest is CaseFixture {
    bytes32[] private _none;

    function setUp() external {
        deployEscrow();
    }

    /// @dev The provider was never sent a voucher, so it has none to contradict this one by.
    function test_provePaid_refusesAVoucherThatIsWorthLessThanTheJob() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        Agreement memory agreement = agreementOf(id, 1, address(0));
        openCase(CaseKind.NonPayment, 1, agreement);
        PaidJob memory job = PaidJob(1, caseIdOf(agreement), PRICE, 0);
        Voucher memory free = Voucher(ChannelId.unwrap(id), 0, 1, _leaf(job));
        _refused(agreement, free, job, _none);
    }

    function test_provePaid_refusesAPartOfThePrice_nonPayment() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        Agreement memory agreement = agreementOf(id, 1, address(0));
        PaidJob memory job = PaidJob(1, caseIdOf(agreement), (PRICE * 3) / 5, 0);
        Voucher memory partly = Voucher(ChannelId.unwrap(id), job.amount, 1, _leaf(job));
        escrow.claim(partiesOf(1), partly, signVoucher(partly));
        openCase(CaseKind.NonPayment, 1, agreement);
        _refused(agreement, partly, job, _none);
    }

    function test_provePaid_refusesAPartOfThePrice_shownReceipt() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        Agreement memory agreement = agreementOf(id, 1, address(0));
        PaidJob memory job = PaidJob(1, caseIdOf(agreement), (PRICE * 3) / 5, 0);
        Voucher memory partly = Voucher(ChannelId.unwrap(id), job.amount, 1, _leaf(job));
        escrow.claim(partiesOf(1), partly, signVoucher(partly));
        _noShowAnswered(agreement);
        _refused(agreement, partly, job, _none);
    }

    function test_provePaid_takesWhatTheShownReceiptAskedFor() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        Agreement memory agreement = agreementOf(id, 1, address(0));
        PaidJob memory job = PaidJob(1, caseIdOf(agreement), PRICE / 4, 0);
        Voucher memory whole = Voucher(ChannelId.unwrap(id), job.amount, 1, _leaf(job));
        escrow.claim(partiesOf(1), whole, signVoucher(whole));
        Receipt memory receipt = receiptOf(agreement);
        receipt.amount = job.amount;
        vm.warp(uint256(agreement.finishBy) + 1);
        openCase(CaseKind.NoShow, 1, agreement);
        bytes memory signature = signReceipt(receipt);
        vm.prank(provider);
        escrow.showReceipt(partiesOf(1), agreement, receipt, signature, 0, _none);
        escrow.provePaid(partiesOf(1), agreement, whole, signVoucher(whole), job, _none);
    }

    /// @dev The requester that was served and paid says that nobody came, and proves that it paid once the receipt is shown.
    function test_provePaid_afterAShownReceiptCostsTheProviderNothing() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        Agreement memory agreement = agreementOf(id, 1, address(0));
        PaidJob memory job = PaidJob(1, caseIdOf(agreement), PRICE, 0);
        Voucher memory paid = Voucher(ChannelId.unwrap(id), PRICE, 1, _leaf(job));
        escrow.claim(partiesOf(1), paid, signVoucher(paid));
        uint256 before = freeOf(provider);
        _noShowAnswered(agreement);
        escrow.provePaid(partiesOf(1), agreement, paid, signVoucher(paid), job, _none);
        _paidInTheEnd(agreement, before);
    }

    /// @dev One payment by a voucher whose list nobody else can open, shown as the payment of two jobs.
    function test_provePaid_onePaymentIsShownForOneJob_laterFirst() external {
        (Agreement memory second, Agreement memory third) = _twoUnpaidCases();
        ChannelId id = ChannelId.wrap(second.channel);
        PaidJob memory one = PaidJob(2, caseIdOf(second), PRICE, 1);
        PaidJob memory other = PaidJob(3, caseIdOf(third), PRICE, 2);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = keccak256("what nobody can open");
        bytes32 lone = keccak256(abi.encodePacked(proof[0], _leaf(other)));
        Voucher memory later = Voucher(ChannelId.unwrap(id), PRICE, 3, lone);
        escrow.claim(partiesOf(1), later, signVoucher(later));
        escrow.provePaid(partiesOf(1), third, later, signVoucher(later), other, proof);
        vm.warp(block.timestamp + escrow.RESPONSE_WINDOW());
        bytes32 pair = keccak256(abi.encodePacked(proof[0], _leaf(one)));
        Voucher memory earlier = Voucher(ChannelId.unwrap(id), PRICE, 2, pair);
        escrow.provePaid(partiesOf(1), second, earlier, signVoucher(earlier), one, proof);
        escrow.disprovePaid(partiesOf(1), second, earlier, one, later, signVoucher(later), other, proof);
        require(escrow.caseOf(caseIdOf(second)).state == CaseState.ProviderRight, "one payment, two jobs");
    }

    function test_provePaid_refusesAListThatGoesOnAfterTheJob() external {
        (Agreement memory second, ) = _twoUnpaidCases();
        PaidJob memory one = PaidJob(2, caseIdOf(second), PRICE, 0);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = keccak256("what nobody can open");
        bytes32 root = keccak256(abi.encodePacked(_leaf(one), proof[0]));
        Voucher memory padded = Voucher(second.channel, PRICE, 2, root);
        escrow.claim(partiesOf(1), padded, signVoucher(padded));
        _refused(second, padded, one, proof);
    }

    /// @dev A list that only grew: neither of its vouchers disproves the other, from before or after.
    function test_disprovePaid_refusesTrueVouchers() external {
        (Agreement memory second, Agreement memory third) = _twoUnpaidCases();
        PaidJob memory one = PaidJob(2, caseIdOf(second), PRICE, 0);
        PaidJob memory other = PaidJob(3, caseIdOf(third), PRICE, 1);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _leaf(one);
        bytes32 root = keccak256(abi.encodePacked(_leaf(one), _leaf(other)));
        Voucher memory earlier = Voucher(second.channel, PRICE, 1, _leaf(one));
        Voucher memory later = Voucher(second.channel, 2 * PRICE, 2, root);
        escrow.claim(partiesOf(1), later, signVoucher(later));
        escrow.provePaid(partiesOf(1), second, earlier, signVoucher(earlier), one, _none);
        escrow.provePaid(partiesOf(1), third, later, signVoucher(later), other, proof);
        _notDisproved(second, earlier, one, later, other, proof);
        proof[0] = _leaf(other);
        _notDisproved(second, earlier, one, later, one, proof);
        _notDisproved(third, later, other, earlier, one, _none);
    }

    function _twoUnpaidCases() private returns (Agreement memory second, Agreement memory third) {
        ChannelId id = openChannel(1, 1e18, 5e18);
        (second, third) = (agreementOf(id, 2, address(0)), agreementOf(id, 3, address(0)));
        openCase(CaseKind.NonPayment, 1, second);
        openCase(CaseKind.NonPayment, 1, third);
    }

    function _noShowAnswered(Agreement memory agreement) private {
        Receipt memory receipt = receiptOf(agreement);
        vm.warp(uint256(agreement.finishBy) + 1);
        openCase(CaseKind.NoShow, 1, agreement);
        bytes memory signature = signReceipt(receipt);
        vm.prank(provider);
        escrow.showReceipt(partiesOf(1), agreement, receipt, signature, 0, _none);
    }

    function _paidInTheEnd(Agreement memory agreement, uint256 free) private {
        vm.warp(block.timestamp + escrow.RESPONSE_WINDOW() + 1);
        require(escrow.timeoutCase(partiesOf(1), agreement) == CaseState.Paid, "not paid before");
        assertEq(freeOf(provider), free, "the provider's bond");
        assertEq(escrow.account(provider).faults, 0, "the provider's record");
    }

    function _refused(
        Agreement memory agreement,
        Voucher memory voucher,
        PaidJob memory job,
        bytes32[] memory proof
    ) private {
        bytes memory signature = signVoucher(voucher);
        try escrow.provePaid(partiesOf(1), agreement, voucher, signature, job, proof) {
            revert("a false proof of payment was taken");
        } catch (bytes memory reason) {
            require(bytes4(reason) == bytes4(keccak256("ComputeEscrowNotPaid(bytes32)")), "another refusal");
        }
    }

    function _notDisproved(
        Agreement memory agreement,
        Voucher memory shown,
        PaidJob memory job,
        Voucher memory other,
        PaidJob memory otherJob,
        bytes32[] memory proof
    ) private {
        bytes memory signature = signVoucher(other);
        try escrow.disprovePaid(partiesOf(1), agreement, shown, job, other, signature, otherJob, proof) {
            revert("two true vouchers contradicted each other");
        } catch (bytes memory reason) {
            require(bytes4(reason) == bytes4(keccak256("ComputeEscrowNoContradiction(bytes32)")), "another refusal");
        }
    }

    function _leaf(PaidJob memory job) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(job.seq, job.agreement, job.amount))));
    }
}
