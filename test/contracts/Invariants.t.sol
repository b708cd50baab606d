// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrow} from "../../contracts/interfaces/IComputeEscrow.sol";
import {Channel, ChannelStatus} from "../../contracts/types/Channels.sol";
import {EscrowFixture} from "./support/EscrowFixture.sol";
import {ITestToken} from "./support/ITestToken.sol";
import {EscrowHandler} from "./support/EscrowHandler.sol";

/// @dev The fuzzer calls only contracts of the test file itself.
contract Handler is EscrowHandler {
    constructor(IComputeEscrow escrow_, ITestToken token_, address owner_) EscrowHandler(escrow_, token_, owner_) {}
}

/// @title What no sequence of calls can break
contract InvariantsTest is EscrowFixture {
    Handler private handler;

    function setUp() external {
        deployEscrow();
        handler = new Handler(escrow, token, address(this));
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Every unit is in one bucket, and the tokens are there.
    function invariant_balancesAddUpToLiabilitiesAndTokensAreThere() external view {
        assertEq(sumOfBuckets(), escrow.liabilities(), "sum of balances != liabilities");
        assertEq(token.balanceOf(address(escrow)), escrow.liabilities() + handler.donated(), "tokens missing");
    }

    function invariant_aChannelNeverPaysAboveItsDepositOrWhatTheRequesterSigned() external view {
        EscrowHandler.Memory[] memory list = handler.channels();
        for (uint256 i = 0; i < list.length; ++i) {
            Channel memory c = escrow.channel(list[i].id);
            require(c.settled <= c.deposit, "paid above the deposit");
            require(c.settled <= list[i].highestSigned, "paid above the highest voucher");
        }
    }

    function invariant_closedIsForEverAndHoldsNothing() external view {
        EscrowHandler.Memory[] memory list = handler.channels();
        for (uint256 i = 0; i < list.length; ++i) {
            Channel memory c = escrow.channel(list[i].id);
            require(c.status != ChannelStatus.None, "tombstone gone");
            require((c.status == ChannelStatus.Closed) == list[i].closed, "status left the table");
            if (list[i].closed) require(c.deposit == c.settled && c.bond == 0, "money in a closed channel");
        }
    }

    /// @dev Whatever happened before: one side gives notice, a stranger closes, and all money is free.
    function invariant_oneSideAndAStrangerCanFreeAllMoney() external {
        EscrowHandler.Memory[] memory list = handler.channels();
        for (uint256 i = 0; i < list.length; ++i) drain(list[i], i);
        uint256 inAccounts = freeOf(requester) + freeOf(provider) + freeOf(treasury) + escrow.uncollectedFees(provider);
        address[] memory accounts = handler.accounts();
        for (uint256 i = 0; i < accounts.length; ++i)
            inAccounts += freeOf(accounts[i]) + escrow.uncollectedFees(accounts[i]);
        assertEq(inAccounts, escrow.liabilities(), "money stuck in a channel");
    }

    function test_theHandlerReachesEveryActionAndEveryState() external {
        handler.deposit(0, 5);
        handler.donate(7);
        handler.withdraw(1, 5);
        handler.open(0, 1, 1e18, 1e18);
        handler.topUp(0, 2, 5);
        handler.addBond(0, 3, 5);
        handler.claim(0, 1e17);
        handler.claimMany(0, 2, 2e17);
        handler.claimAndClose(0, 3e17, true);
        handler.startClose(1, 2);
        handler.close(1, 0);
        handler.open(2, 3, 1e18, 0);
        handler.closeMutual(2, 1e17);
        handler.reopenClosed(0);
        handler.collectFees();
        handler.changeFee(77, 3);
        handler.useWhilePaused(0, 5);
        bytes4[16] memory actions = [
            handler.deposit.selector,
            handler.donate.selector,
            handler.withdraw.selector,
            handler.open.selector,
            handler.topUp.selector,
            handler.addBond.selector,
            handler.claim.selector,
            handler.claimMany.selector,
            handler.claimAndClose.selector,
            handler.startClose.selector,
            handler.close.selector,
            handler.closeMutual.selector,
            handler.reopenClosed.selector,
            handler.collectFees.selector,
            handler.changeFee.selector,
            handler.useWhilePaused.selector
        ];
        for (uint256 i = 0; i < actions.length; ++i)
            require(handler.successes(actions[i]) > 0, "action never succeeded");
        assertEq(sumOfBuckets(), escrow.liabilities(), "sum of balances != liabilities");
    }

    function drain(EscrowHandler.Memory memory m, uint256 i) private {
        ChannelStatus status = escrow.channel(m.id).status;
        if (status == ChannelStatus.Closed) return;
        if (status == ChannelStatus.Open) {
            vm.prank(i % 2 == 0 ? m.parties.requester : m.parties.provider);
            escrow.startClose(m.parties);
        }
        vm.warp(uint256(escrow.channel(m.id).closeAt) + 1);
        vm.prank(address(0xBEEF));
        escrow.close(m.parties);
    }

    function sumOfBuckets() private view returns (uint256 sum) {
        sum = freeOf(requester) + freeOf(provider) + freeOf(treasury) + escrow.uncollectedFees(provider);
        address[] memory accounts = handler.accounts();
        for (uint256 i = 0; i < accounts.length; ++i) sum += freeOf(accounts[i]) + escrow.uncollectedFees(accounts[i]);
        EscrowHandler.Memory[] memory list = handler.channels();
        for (uint256 i = 0; i < list.length; ++i) {
            Channel memory c = escrow.channel(list[i].id);
            sum += c.deposit - c.settled + c.bond;
        }
    }
}
