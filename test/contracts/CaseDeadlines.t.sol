// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrowErrors} from "../../contracts/interfaces/IComputeEscrowErrors.sol";
import {CaseKind, CaseState} from "../../contracts/types/Cases.sol";
import {ChannelId} from "../../contracts/types/ChannelId.sol";
import {OpenTerms} from "../../contracts/types/Channels.sol";
import {Agreement, Receipt} from "../../contracts/types/SignedMessages.sol";
import {CaseFixture} from "./support/CaseFixture.sol";
import {IScriptedVerifier} from "./support/IScriptedVerifier.sol";

/// @title Each deadline of a case a second before, at, and a second after
contract CaseDeadlinesTest is CaseFixture {
    uint40 private start;
    ChannelId private id;

    function setUp() external {
        deployEscrow();
        start = uint40(block.timestamp);
        id = openChannel(1, 1e18, 1e18);
    }

    function testFuzz_answer_isTakenUpToTheLastSecondAndSilenceCountsAfter(uint32 wait, uint8 before) external {
        vm.warp(uint256(start) + wait);
        Agreement memory agreement = agreementOf(id, 1, address(0));
        openCase(CaseKind.WrongResult, 1, agreement);
        uint40 deadline = escrow.caseOf(caseIdOf(agreement)).deadline;
        assertEq(deadline, uint256(start) + wait + 24 hours, "not a day");

        vm.warp(deadline - (before % 2));
        expectTooEarly(deadline);
        escrow.timeoutCase(partiesOf(1), agreement);
        if (before % 4 < 2) return contest(agreement);

        vm.warp(uint256(deadline) + 1);
        expectExpired(deadline);
        contest(agreement);
        require(escrow.timeoutCase(partiesOf(1), agreement) == CaseState.ProviderWrong, "silence did not lose");
    }

    function testFuzz_receipt_answersANoShowUpToTheLastSecond(uint8 before, bool late) external {
        Agreement memory agreement = agreementOf(id, 1, address(0));
        vm.warp(uint256(agreement.finishBy) + 1);
        openCase(CaseKind.NoShow, 1, agreement);
        uint40 deadline = escrow.caseOf(caseIdOf(agreement)).deadline;
        vm.warp(late ? uint256(deadline) + 1 : deadline - (before % 2));
        Receipt memory receipt = receiptOf(agreement);
        bytes memory signature = signReceipt(receipt);
        bytes32[] memory none = new bytes32[](0);
        if (late) expectExpired(deadline);
        vm.prank(provider);
        escrow.showReceipt(partiesOf(1), agreement, receipt, signature, 0, none);
    }

    function testFuzz_anchor_provesDeliveryUpToFinishBy(uint8 before, bool late) external {
        Agreement memory agreement = agreementOf(id, 1, address(0));
        Receipt memory receipt = receiptOf(agreement);
        bytes32 root = keccak256(
            abi.encode(
                keccak256(
                    "Receipt(bytes32 agreement,uint32 completed,uint96 amount,bytes32 resultCommit,bytes32 trace,bytes32 dataRoot,uint40 finishedAt)"
                ),
                receipt
            )
        );
        vm.warp(late ? uint256(agreement.finishBy) + 1 : agreement.finishBy - (before % 2));
        vm.prank(providerSigner);
        escrow.anchor(root);
        vm.warp(uint256(agreement.finishBy) + 1);
        openCase(CaseKind.NoShow, 1, agreement);
        bytes memory signature = signReceipt(receipt);
        bytes32[] memory none = new bytes32[](0);
        uint256 free = freeOf(requester);
        vm.prank(provider);
        escrow.showReceipt(partiesOf(1), agreement, receipt, signature, root, none);
        assertEq(freeOf(requester) - free, late ? CASE_BOND : 0, "bond of a false accusation");
    }

    function testFuzz_case_isOpenedUpToDisputeUntil(uint8 before, bool late) external {
        Agreement memory agreement = agreementOf(id, 1, address(0));
        (bytes memory r, bytes memory p) = signBoth(agreement);
        Receipt memory receipt = receiptOf(agreement);
        bytes memory signature = signReceipt(receipt);
        vm.warp(late ? uint256(agreement.disputeUntil) + 1 : agreement.disputeUntil - (before % 2));
        if (late) expectExpired(agreement.disputeUntil);
        vm.prank(provider);
        escrow.openCase(CaseKind.NonPayment, partiesOf(1), agreement, r, p, receipt, signature);
    }

    function testFuzz_noShow_isOpenedOnlyAfterFinishBy(uint8 before, bool early) external {
        Agreement memory agreement = agreementOf(id, 1, address(0));
        (bytes memory r, bytes memory p) = signBoth(agreement);
        Receipt memory none;
        vm.warp(early ? agreement.finishBy - (before % 2) : uint256(agreement.finishBy) + 1);
        if (early) expectTooEarly(agreement.finishBy);
        vm.prank(requester);
        escrow.openCase(CaseKind.NoShow, partiesOf(1), agreement, r, p, none, "");
    }

    function testFuzz_verdict_isWaitedForUpToItsDeadline(uint40 duration, uint8 before) external {
        address verifier = deploy("mocks/ScriptedVerifier.sol/ScriptedVerifier", "");
        IScriptedVerifier(verifier).set(0, 0, 0, duration);
        Agreement memory agreement = agreementOf(id, 1, verifier);
        openCase(CaseKind.WrongResult, 1, agreement);
        contest(agreement);
        uint40 deadline = escrow.caseOf(caseIdOf(agreement)).deadline;
        assertEq(deadline, uint256(start) + (duration < 30 days ? duration : 30 days), "verifier's time");

        vm.warp(deadline - (deadline == start ? 0 : before % 2));
        expectTooEarly(deadline);
        escrow.resolve(partiesOf(1), agreement);
        vm.warp(uint256(deadline) + 1);
        require(escrow.resolve(partiesOf(1), agreement) == CaseState.Undecided, "no split");
    }

    function testFuzz_bond_staysForItsHold(uint40 hold, uint8 before) external {
        OpenTerms memory terms = termsOf(2, 1e18, 1e18);
        terms.bondHold = 1 + (hold % 90 days);
        bytes memory signature = signBond(terms);
        vm.prank(requester);
        ChannelId held = escrow.createChannel(terms, signature);
        claimAndClose(2, held, 1e17);
        uint40 freeAt = escrow.channel(held).bondFreeAt;
        assertEq(freeAt, start + terms.bondHold, "hold");

        vm.warp(freeAt - (before % 2));
        expectTooEarly(freeAt);
        escrow.releaseBond(partiesOf(2));
        vm.warp(uint256(freeAt) + 1);
        assertEq(escrow.releaseBond(partiesOf(2)), 1e18, "bond");
    }

    function contest(Agreement memory agreement) private {
        Receipt memory receipt = receiptOf(agreement);
        bytes memory signature = sign(PROVIDER_SIGNER_KEY, digestOf(receipt));
        vm.prank(provider);
        escrow.contest(partiesOf(1), agreement, receipt, signature);
    }

    /// @dev Made by hand: a call of the escrow would use up what is expected of the next one.
    function digestOf(Receipt memory receipt) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("ComputeEscrow"),
                keccak256("1"),
                block.chainid,
                address(escrow)
            )
        );
        bytes32 typeHash = keccak256(
            "Receipt(bytes32 agreement,uint32 completed,uint96 amount,bytes32 resultCommit,bytes32 trace,bytes32 dataRoot,uint40 finishedAt)"
        );
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(typeHash, receipt))));
    }

    function expectExpired(uint40 deadline) private {
        vm.expectRevert(abi.encodeWithSelector(IComputeEscrowErrors.ComputeEscrowExpired.selector, deadline));
    }

    function expectTooEarly(uint40 deadline) private {
        vm.expectRevert(abi.encodeWithSelector(IComputeEscrowErrors.ComputeEscrowTooEarly.selector, deadline));
    }
}
