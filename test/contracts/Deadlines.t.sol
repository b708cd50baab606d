// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrowErrors} from "../../contracts/interfaces/IComputeEscrowErrors.sol";
import {ChannelId} from "../../contracts/types/ChannelId.sol";
import {ChannelStatus, OpenTerms} from "../../contracts/types/Channels.sol";
import {CloseMutual} from "../../contracts/types/SignedMessages.sol";
import {EscrowFixture} from "./support/EscrowFixture.sol";

/// @title Each deadline a second before, at, and a second after
contract DeadlinesTest is EscrowFixture {
    uint40 private start;

    function setUp() external {
        deployEscrow();
        start = uint40(block.timestamp);
    }

    function testFuzz_bondOffer_holdsUpToItsExpiryAndNotAfter(uint32 wait) external {
        OpenTerms memory terms = termsOf(1, 1e18, 1e18);
        terms.bondExpiry = start + 1 + wait;
        bytes memory signature = signBond(terms);

        vm.warp(uint256(terms.bondExpiry) + 1);
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IComputeEscrowErrors.ComputeEscrowExpired.selector, terms.bondExpiry));
        escrow.createChannel(terms, signature);

        vm.warp(wait % 2 == 0 ? terms.bondExpiry : terms.bondExpiry - 1);
        vm.prank(requester);
        escrow.createChannel(terms, signature);
    }

    function testFuzz_notice_keepsTheChannelUpToItsLastSecond(uint32 wait) external {
        ChannelId id = openChannel(1, 1e18, 1e18);
        vm.warp(uint256(start) + wait);
        startClose(1);
        uint40 closeAt = escrow.channel(id).closeAt;
        assertEq(closeAt, uint256(start) + wait + 24 hours, "notice is not 24 hours");

        for (uint40 early = 0; early < 2; ++early) {
            vm.warp(closeAt - 1 + early);
            vm.expectRevert(abi.encodeWithSelector(IComputeEscrowErrors.ComputeEscrowTooEarly.selector, closeAt));
            escrow.close(partiesOf(1));
        }
        vm.warp(closeAt + 1);
        escrow.close(partiesOf(1));
        require(escrow.channel(id).status == ChannelStatus.Closed, "not closed");
    }

    function testFuzz_voucher_isPaidUntilTheChannelIsClosed(uint32 late) external {
        ChannelId id = openChannel(1, 1e18, 1e18);
        startClose(1);
        vm.warp(uint256(escrow.channel(id).closeAt) + late);
        assertEq(claim(1, id, 5e17), 5e17, "not paid");
    }

    function testFuzz_mutualClose_holdsUpToItsDeadlineAndNotAfter(uint32 wait) external {
        ChannelId id = openChannel(1, 1e18, 1e18);
        CloseMutual memory agreed = CloseMutual(ChannelId.unwrap(id), 1e17, start + 1 + wait);

        vm.warp(uint256(agreed.deadline) + 1);
        bytes32 digest = escrow.digestOfCloseMutual(agreed);
        bytes memory ofRequester = sign(REQUESTER_SIGNER_KEY, digest);
        bytes memory ofProvider = sign(PROVIDER_SIGNER_KEY, digest);
        vm.expectRevert(abi.encodeWithSelector(IComputeEscrowErrors.ComputeEscrowExpired.selector, agreed.deadline));
        escrow.closeMutual(partiesOf(1), agreed, ofRequester, ofProvider);

        vm.warp(wait % 2 == 0 ? agreed.deadline : agreed.deadline - 1);
        escrow.closeMutual(partiesOf(1), agreed, ofRequester, ofProvider);
    }

    function testFuzz_feeChange_waitsSevenDays(uint32 wait) external {
        vm.warp(uint256(start) + wait);
        escrow.scheduleFeePolicy(10, treasury);
        uint40 readyAt = start + wait + 7 days;
        for (uint40 early = 0; early < 2; ++early) {
            vm.warp(readyAt - 1 + early);
            vm.expectRevert(abi.encodeWithSelector(IComputeEscrowErrors.ComputeEscrowTooEarly.selector, readyAt));
            escrow.applyFeePolicy();
        }
        vm.warp(readyAt + 1);
        escrow.applyFeePolicy();
        assertEq(escrow.feeBps(), 10, "fee not applied");
    }
}
