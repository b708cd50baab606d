// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ChannelId} from "../../../contracts/types/ChannelId.sol";
import {BatchedVoucher, OpenTerms} from "../../../contracts/types/Channels.sol";
import {CaseKind, PaidJob} from "../../../contracts/types/Cases.sol";
import {Agreement, CloseMutual, Receipt, Voucher} from "../../../contracts/types/SignedMessages.sol";
import {CaseFixture} from "../support/CaseFixture.sol";

/// @title What each call costs as a transaction of its own
/// @dev Isolated: each outer call is charged as a transaction, with its base cost, calldata and refund, on cold storage.
/// Steady state: every balance was non-zero before.
contract GasTest is CaseFixture {
    string private constant GROUP = "ComputeEscrow";
    uint256 private constant BATCH = 100;

    function setUp() external {
        deployEscrow();
        claim(0, openChannel(0, 1e18, 1e18), 1e17); // fees gathered are above zero from here on
    }

    /// hardhat-config: isolate = true
    function test_gas_oneOffJob_openThenClaimAndClose_wholeDeposit() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        uint256 opening = vm.snapshotGasLastCall(GROUP, "open");
        claimAndClose(1, id, 1e18);
        uint256 closing = vm.snapshotGasLastCall(GROUP, "claimAndClose: whole deposit");
        vm.snapshotValue(GROUP, "one-off job: open + claimAndClose, whole deposit", opening + closing);
        // 140,000 is the aim; the hold in the bond offer costs a thousand that is still to be saved elsewhere.
        require(opening + closing <= 140_000, "one-off job above 140,000 gas");
    }

    /// hardhat-config: isolate = true
    function test_gas_oneOffJob_openThenClaimAndClose_someDepositReturned() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        uint256 opening = vm.snapshotGasLastCall(GROUP, "open");
        claimAndClose(1, id, 9e17);
        uint256 closing = vm.snapshotGasLastCall(GROUP, "claimAndClose: some deposit returned");
        vm.snapshotValue(GROUP, "one-off job: open + claimAndClose, some deposit returned", opening + closing);
    }

    /// hardhat-config: isolate = true
    function test_gas_claim() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        claim(1, id, 1e17);
        claim(1, id, 2e17);
        uint256 used = vm.snapshotGasLastCall(GROUP, "claim: 1000 jobs");
        require(used <= 48_000, "claim above 48,000 gas");
    }

    /// hardhat-config: isolate = true
    function test_gas_claimMany_hundredChannels() external {
        BatchedVoucher[] memory batch = new BatchedVoucher[](BATCH);
        for (uint96 i = 0; i < BATCH; ++i) {
            ChannelId id = openChannel(i + 1, 1e18, 1e18);
            claim(i + 1, id, 1e17);
            batch[i] = batched(i + 1, voucherOf(id, 2e17));
        }
        escrow.claimMany(provider, providerSigner, batch);
        uint256 used = vm.snapshotGasLastCall(GROUP, "claimMany: 100 channels");
        vm.snapshotValue(GROUP, "claimMany: each of 100 channels", used / BATCH);
        require(used / BATCH <= 16_000, "claimMany above 16,000 gas a channel");
    }

    /// hardhat-config: isolate = true
    function test_gas_noticeAndClose() external {
        openChannel(1, 1e18, 5e18);
        startClose(1);
        vm.snapshotGasLastCall(GROUP, "startClose");
        vm.warp(block.timestamp + escrow.CLOSE_NOTICE() + 1);
        escrow.close(partiesOf(1));
        vm.snapshotGasLastCall(GROUP, "close");
    }

    /// hardhat-config: isolate = true
    function test_gas_closeMutual() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        closeMutual(1, CloseMutual(ChannelId.unwrap(id), 9e17, uint40(block.timestamp)));
        vm.snapshotGasLastCall(GROUP, "closeMutual");
    }

    /// hardhat-config: isolate = true
    function test_gas_ledger() external {
        token.mint(requester, 2e18);
        vm.prank(requester);
        token.approve(address(escrow), 2e18);
        vm.prank(requester);
        escrow.deposit(1e18);
        vm.snapshotGasLastCall(GROUP, "deposit");
        vm.prank(requester);
        escrow.withdraw(requester, 1e17);
        vm.snapshotGasLastCall(GROUP, "withdraw");
        ChannelId id = openChannel(1, 1e18, 5e18);
        vm.prank(requester);
        escrow.topUp(id, 1e17);
        vm.snapshotGasLastCall(GROUP, "topUp");
        vm.prank(provider);
        escrow.addBond(id, 1e17);
        vm.snapshotGasLastCall(GROUP, "addBond");
    }

    /// hardhat-config: isolate = true
    function test_gas_case_openThenTimeout() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        Agreement memory agreement = agreementOf(id, 1, address(0));
        openCase(CaseKind.NonPayment, 1, agreement);
        uint256 opening = vm.snapshotGasLastCall(GROUP, "openCase: non-payment");
        vm.warp(block.timestamp + escrow.RESPONSE_WINDOW() + 1);
        escrow.timeoutCase(partiesOf(1), agreement);
        uint256 ending = vm.snapshotGasLastCall(GROUP, "timeoutCase: provider right");
        vm.snapshotValue(GROUP, "case: openCase + timeoutCase", opening + ending);
        require(opening + ending <= 190_000, "case above 190,000 gas");
    }

    /// hardhat-config: isolate = true
    function test_gas_case_contestThenResolve() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        Agreement memory agreement = agreementOf(id, 1, address(0));
        openCase(CaseKind.WrongResult, 1, agreement);
        vm.snapshotGasLastCall(GROUP, "openCase: wrong result");
        Receipt memory receipt = receiptOf(agreement);
        bytes memory signature = signReceipt(receipt);
        vm.prank(provider);
        escrow.contest(partiesOf(1), agreement, receipt, signature);
        vm.snapshotGasLastCall(GROUP, "contest");
        vm.warp(block.timestamp + 1);
        escrow.resolve(partiesOf(1), agreement);
        vm.snapshotGasLastCall(GROUP, "resolve: undecided");
    }

    /// hardhat-config: isolate = true
    function test_gas_case_answers() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        Agreement memory conceded = agreementOf(id, 1, address(0));
        openCase(CaseKind.NonPayment, 1, conceded);
        vm.prank(requester);
        escrow.concede(partiesOf(1), conceded);
        vm.snapshotGasLastCall(GROUP, "concede");
        Agreement memory doubled = agreementOf(id, 2, address(0));
        Receipt[2] memory receipts = [receiptOf(doubled), receiptOf(doubled)];
        receipts[1].resultCommit = 0;
        bytes[2] memory signatures = [signReceipt(receipts[0]), signReceipt(receipts[1])];
        (bytes memory r, bytes memory p) = signBoth(doubled);
        escrow.equivocate(partiesOf(1), doubled, r, p, receipts, signatures);
        vm.snapshotGasLastCall(GROUP, "equivocate");
        vm.prank(providerSigner);
        escrow.anchor(keccak256("receipts"));
        vm.snapshotGasLastCall(GROUP, "anchor");
    }

    /// hardhat-config: isolate = true
    function test_gas_case_showReceipt() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        Agreement memory agreement = agreementOf(id, 1, address(0));
        Receipt memory receipt = receiptOf(agreement);
        bytes memory signature = signReceipt(receipt);
        vm.warp(uint256(agreement.finishBy) + 1);
        openCase(CaseKind.NoShow, 1, agreement);
        vm.prank(provider);
        escrow.showReceipt(partiesOf(1), agreement, receipt, signature, 0, new bytes32[](0));
        vm.snapshotGasLastCall(GROUP, "showReceipt");
    }

    /// hardhat-config: isolate = true
    function test_gas_case_provePaidThenDisprove() external {
        ChannelId id = openChannel(1, 1e18, 5e18);
        Agreement memory agreement = agreementOf(id, 2, address(0));
        PaidJob memory job = PaidJob(2, caseIdOf(agreement), PRICE, 0);
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(job.seq, job.agreement, job.amount))));
        Voucher memory shown = Voucher(ChannelId.unwrap(id), PRICE, 1, leaf);
        Voucher memory earlier = Voucher(ChannelId.unwrap(id), PRICE, 0, 0);
        escrow.claim(partiesOf(1), shown, signVoucher(shown));
        openCase(CaseKind.NonPayment, 1, agreement);
        escrow.provePaid(partiesOf(1), agreement, shown, signVoucher(shown), job, new bytes32[](0));
        vm.snapshotGasLastCall(GROUP, "provePaid");
        bytes memory signature = signVoucher(earlier);
        escrow.disprovePaid(partiesOf(1), agreement, shown, job, earlier, signature, job, new bytes32[](0));
        vm.snapshotGasLastCall(GROUP, "disprovePaid");
    }

    /// hardhat-config: isolate = true
    function test_gas_sponsorThenRefund_holdThenRelease() external {
        OpenTerms memory terms = termsOf(1, 1e18, 5e18);
        terms.bondHold = 1 days;
        bytes memory signature = signBond(terms);
        vm.prank(requester);
        ChannelId id = escrow.createChannel(terms, signature);
        vm.prank(provider);
        escrow.sponsor(id, 1e17);
        vm.snapshotGasLastCall(GROUP, "sponsor");
        claimAndClose(1, id, 1e17);
        escrow.refund(partiesOf(1), provider);
        vm.snapshotGasLastCall(GROUP, "refund");
        vm.warp(block.timestamp + 1 days + 1);
        escrow.releaseBond(partiesOf(1));
        vm.snapshotGasLastCall(GROUP, "releaseBond");
    }
}
