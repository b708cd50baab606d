// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrow} from "../../contracts/interfaces/IComputeEscrow.sol";
import {Case, CaseKind, CaseState} from "../../contracts/types/Cases.sol";
import {ChannelId} from "../../contracts/types/ChannelId.sol";
import {Channel, ChannelStatus} from "../../contracts/types/Channels.sol";
import {EscrowFixture} from "./support/EscrowFixture.sol";
import {EscrowHandler} from "./support/EscrowHandler.sol";
import {IScriptedVerifier} from "./support/IScriptedVerifier.sol";
import {ITestToken} from "./support/ITestToken.sol";
import {HandlerBase} from "./support/handlers/HandlerBase.sol";

/// @dev The fuzzer calls only contracts of the test file itself.
contract Handler is EscrowHandler {
    constructor(
        IComputeEscrow escrow_,
        ITestToken token_,
        IScriptedVerifier verifier_,
        address owner_
    ) EscrowHandler(escrow_, token_, verifier_, owner_) {}
}

/// @title What no sequence of calls can break
/// @dev The token calls back whenever the handler wants it to.
contract InvariantsTest is EscrowFixture {
    address private constant STRANGER = address(0xBEEF);
    address private constant CONSOLE = 0x000000000000000000636F6e736F6c652e6c6f67;
    uint256 private constant STEPS = 400;

    Handler private handler;
    ChannelId private bystanders;

    function setUp() external {
        deployEscrowOf("mocks/CallbackToken.sol/CallbackToken");
        IScriptedVerifier verifier = IScriptedVerifier(deploy("mocks/ScriptedVerifier.sol/ScriptedVerifier", ""));
        handler = new Handler(escrow, token, verifier, address(this));
        bystanders = openChannel(1, 1e18, 1e18);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Every unit is in one bucket, only deposits and withdrawals change their sum, and the tokens are there.
    function invariant_balancesAddUpToLiabilitiesAndTokensAreThere() external view {
        uint256 liabilities = escrow.liabilities();
        assertEq(inAccounts() + inChannels() + inCases(), liabilities, "sum of balances != liabilities");
        assertEq(2 * PURSE + handler.deposited() - handler.withdrawn(), liabilities, "liabilities made of nothing");
        assertEq(token.balanceOf(address(escrow)), liabilities + handler.donated(), "tokens missing");
    }

    /// @dev By no path, be it vouchers, cases or a mutual close. What closed stays so and keeps only what it owes.
    function invariant_aChannelNeverPaysAboveItsDepositOrWhatTheRequesterSigned() external view {
        HandlerBase.Memory[] memory list = handler.channels();
        for (uint256 i = 0; i < list.length; ++i) {
            Channel memory c = escrow.channel(list[i].id);
            require(c.settled <= c.deposit, "paid above the deposit");
            require(c.settled <= list[i].highestSigned, "paid above what the requester signed");
            require(c.status != ChannelStatus.None, "tombstone gone");
            require((c.status == ChannelStatus.Closed) == list[i].closed, "status left the table");
            // what sponsors and the requester of a sponsored channel have not fetched waits for them, also under a new case
            if (!list[i].closed || list[i].everSponsored) continue;
            require(c.deposit - c.settled <= c.frozen || c.requesterCases + c.providerCases == 0, "kept too much");
        }
    }

    /// @dev A channel counts its open cases and what they may pay out. No verifier changes that.
    function invariant_channelsCountTheirOpenCasesAndFreezeTheirAmounts() external view {
        HandlerBase.Memory[] memory list = handler.channels();
        HandlerBase.Note[] memory notes = handler.notes();
        for (uint256 i = 0; i < list.length; ++i) {
            (uint256 ofRequester, uint256 ofProvider, uint256 frozen) = (0, 0, 0);
            for (uint256 j = 0; j < notes.length; ++j) {
                Case memory c = escrow.caseOf(notes[j].id);
                if (notes[j].channel != i || !isOpen(c.state)) continue;
                frozen += c.amount;
                if (c.kind == CaseKind.NonPayment) ++ofProvider;
                else ++ofRequester;
            }
            Channel memory shown = escrow.channel(list[i].id);
            assertEq(shown.requesterCases, ofRequester, "cases of the requester");
            assertEq(shown.providerCases, ofProvider, "cases of the provider");
            assertEq(shown.frozen, frozen, "frozen");
        }
    }

    /// @dev Nobody loses by what others do: who takes no part has what it had.
    function invariant_whoDoesNothingLosesNothing() external view {
        assertEq(freeOf(requester), PURSE - 1e18, "requester");
        assertEq(freeOf(provider), PURSE - 1e18, "provider");
        Channel memory c = escrow.channel(bystanders);
        require(c.deposit == 1e18 && c.settled == 0 && c.bond == 1e18, "channel");
        require(c.status == ChannelStatus.Open && c.frozen == 0 && c.closeAt == 0, "channel's state");
    }

    /// @dev Whatever happened before: one side gives notice, a stranger does the rest, and all money is free.
    function invariant_oneSideAndAStrangerCanFreeAllMoney() external {
        uint256 start = block.timestamp;
        HandlerBase.Memory[] memory list = handler.channels();
        endCases(list);
        for (uint256 i = 0; i < list.length; ++i) giveNotice(list[i], i);
        vm.warp(block.timestamp + escrow.CLOSE_NOTICE() + 1);
        for (uint256 i = 0; i < list.length; ++i) closeFor(list[i]);
        vm.warp(block.timestamp + escrow.MAX_BOND_HOLD() + 1);
        for (uint256 i = 0; i < list.length; ++i) empty(list[i]);
        assertEq(inAccounts() + 2e18, escrow.liabilities(), "money stuck");
        require(block.timestamp - start < 130 days, "money stuck for too long");
    }

    /// @dev A walk at random that shows how often each action went well and which states its cases are left in.
    function test_theHandlerReachesEveryActionAndEveryState() external {
        string[36] memory actions = actionTable();
        for (uint256 i = 0; i < STEPS; ++i) act(actions, uint256(keccak256(abi.encode("a walk", i))));
        for (uint256 i = 0; i < actions.length; ++i) {
            uint256 successes = handler.successes(bytes4(keccak256(bytes(actions[i]))));
            print(actions[i], successes);
            require(successes > 0, "action never succeeded");
        }
        HandlerBase.Note[] memory notes = handler.notes();
        uint256[8] memory left;
        for (uint256 i = 0; i < notes.length; ++i) ++left[uint8(escrow.caseOf(notes[i].id).state)];
        for (uint256 i = 1; i < left.length; ++i) {
            print(string.concat("cases in state ", stateNames()[i]), left[i]);
            require(left[i] > 0, "state never reached");
        }
        assertEq(inAccounts() + inChannels() + inCases(), escrow.liabilities(), "sum of balances != liabilities");
    }

    // ------------------------------------------------------------------------------------------------ the walk

    /// @dev Calls one action with random words, each cut to what its type holds.
    function act(string[36] memory actions, uint256 seed) private {
        bytes memory signature = bytes(actions[seed % actions.length]);
        bytes memory call = abi.encodePacked(bytes4(keccak256(signature)));
        uint256 from;
        for (uint256 place = 0; place < signature.length; ++place) {
            if (signature[place] == "(") from = place + 1;
            if ((signature[place] != "," && signature[place] != ")") || place == from) continue;
            uint256 word = uint256(keccak256(abi.encode(seed, place)));
            call = bytes.concat(call, bytes32(word >> (256 - widthOf(signature, from, place))));
            from = place + 1;
        }
        (bool ok, bytes memory answer) = address(handler).call(call);
        assembly ("memory-safe") {
            if iszero(ok) {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }

    /// @dev Bits of the type that stands at `from` up to `to`: one of a bool, else the number at its end.
    function widthOf(bytes memory signature, uint256 from, uint256 to) private pure returns (uint256 bits) {
        for (uint256 i = from; i < to; ++i)
            if (signature[i] >= "0" && signature[i] <= "9") bits = bits * 10 + uint8(signature[i]) - 48;
        if (bits == 32) return 256; // bytes32
        return bits == 0 ? 1 : bits;
    }

    function actionTable() private pure returns (string[36] memory) {
        return
            [
                "deposit(uint256,uint96)",
                "donate(uint96)",
                "withdraw(uint256,uint96)",
                "open(uint256,uint256,uint96,uint96,uint40)",
                "topUp(uint256,uint256,uint96)",
                "addBond(uint256,uint256,uint96)",
                "claim(uint256,uint96)",
                "claimMany(uint256,uint256,uint96)",
                "claimAndClose(uint256,uint96,bool)",
                "startClose(uint256,uint256)",
                "close(uint256,uint256)",
                "closeMutual(uint256,uint96)",
                "reopenClosed(uint256)",
                "collectFees()",
                "changeFee(uint16,uint256)",
                "useWhilePaused(uint256,uint96)",
                "warp(uint40)",
                "openNonPayment(uint256,bool)",
                "openWrongResult(uint256,bool)",
                "openNoShow(uint256,bool)",
                "concede(uint256,bool)",
                "contest(uint256,uint8,uint96,uint40,bool)",
                "resolve(uint256,uint8,uint256)",
                "timeoutCase(uint256)",
                "equivocate(uint256,bool)",
                "useCasesWhilePaused(uint256)",
                "anchor(bytes32)",
                "showReceipt(uint256,uint8,bool)",
                "provePaid(uint256,bool)",
                "disprovePaid(uint256,bool)",
                "sponsor(uint256,uint256,uint96)",
                "refund(uint256,uint256,uint96)",
                "releaseBond(uint256,uint40)",
                "reenterToClaim(uint256)",
                "reenterToEndACase(uint256)",
                "reenterTheLedger(bool)"
            ];
    }

    function stateNames() private pure returns (string[8] memory) {
        return ["None", "Opened", "PaidShown", "Contested", "ProviderRight", "ProviderWrong", "Undecided", "Paid"];
    }

    /// @dev To the console of either engine.
    function print(string memory what, uint256 count) private view {
        (bool ok, ) = CONSOLE.staticcall(abi.encodeWithSignature("log(string,uint256)", what, count));
        require(ok, "no console");
    }

    function isOpen(CaseState state) private pure returns (bool) {
        return state != CaseState.None && uint8(state) <= uint8(CaseState.Contested);
    }

    // ------------------------------------------------------------------------------------------------ the way out

    function endCases(HandlerBase.Memory[] memory list) private {
        HandlerBase.Note[] memory notes = handler.notes();
        vm.warp(block.timestamp + escrow.MAX_VERDICT_TIME() + 1);
        for (uint256 i = 0; i < notes.length; ++i) {
            CaseState state = escrow.caseOf(notes[i].id).state;
            if (!isOpen(state)) continue;
            vm.prank(STRANGER);
            if (state == CaseState.Contested) escrow.resolve(list[notes[i].channel].parties, notes[i].agreement);
            else escrow.timeoutCase(list[notes[i].channel].parties, notes[i].agreement);
        }
    }

    function giveNotice(HandlerBase.Memory memory m, uint256 i) private {
        if (escrow.channel(m.id).status != ChannelStatus.Open) return;
        vm.prank(i % 2 == 0 ? m.parties.requester : m.parties.provider);
        escrow.startClose(m.parties);
    }

    function closeFor(HandlerBase.Memory memory m) private {
        if (escrow.channel(m.id).status == ChannelStatus.Closed) return;
        vm.prank(STRANGER);
        escrow.close(m.parties);
    }

    function empty(HandlerBase.Memory memory m) private {
        if (escrow.channel(m.id).bond != 0) escrow.releaseBond(m.parties);
        if (escrow.channel(m.id).deposit == escrow.channel(m.id).settled) return;
        address[] memory payers = handler.accounts();
        for (uint256 i = 0; i < payers.length; ++i)
            if (payers[i] == m.parties.requester || escrow.sponsorship(m.id, payers[i]) != 0) refund(m, payers[i]);
    }

    /// @dev A requester may have had its share before.
    function refund(HandlerBase.Memory memory m, address payer) private {
        vm.prank(STRANGER);
        try escrow.refund(m.parties, payer) {} catch {}
    }

    // ------------------------------------------------------------------------------------------------ the buckets

    function inAccounts() private view returns (uint256 sum) {
        sum = freeOf(requester) + freeOf(provider) + freeOf(treasury) + freeOf(address(token));
        address[] memory accounts = handler.accounts();
        for (uint256 i = 0; i < accounts.length; ++i) sum += freeOf(accounts[i]) + escrow.uncollectedFees(accounts[i]);
    }

    function inChannels() private view returns (uint256 sum) {
        HandlerBase.Memory[] memory list = handler.channels();
        for (uint256 i = 0; i < list.length; ++i) {
            Channel memory c = escrow.channel(list[i].id);
            sum += c.deposit - c.settled + c.bond;
        }
        return sum + 2e18; // the bystanders'
    }

    function inCases() private view returns (uint256 sum) {
        HandlerBase.Note[] memory notes = handler.notes();
        for (uint256 i = 0; i < notes.length; ++i) {
            Case memory c = escrow.caseOf(notes[i].id);
            uint256 bond = uint256(notes[i].agreement.caseBond) << c.doublings;
            if (isOpen(c.state)) sum += c.stake + bond * (c.state == CaseState.Contested ? 2 : 1);
        }
    }
}
