// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrow} from "../../../contracts/interfaces/IComputeEscrow.sol";
import {CaseKind, CaseState} from "../../../contracts/types/Cases.sol";
import {Agreement, Voucher} from "../../../contracts/types/SignedMessages.sol";
import {ICallbackToken} from "./ICallbackToken.sol";
import {IScriptedVerifier} from "./IScriptedVerifier.sol";
import {ITestToken} from "./ITestToken.sol";
import {HandlerBase} from "./handlers/HandlerBase.sol";
import {ChannelHandler} from "./handlers/ChannelHandler.sol";
import {ProofHandler} from "./handlers/ProofHandler.sol";
import {SponsorHandler} from "./handlers/SponsorHandler.sol";

/// @title Random but honest and dishonest use of an escrow by four accounts
/// @dev All of it, and what a token does that calls back.
abstract contract EscrowHandler is ChannelHandler, ProofHandler, SponsorHandler {
    constructor(
        IComputeEscrow escrow_,
        ITestToken token_,
        IScriptedVerifier verifier_,
        address owner_
    ) HandlerBase(escrow_, token_, verifier_, owner_) {}

    /// @dev A claim in the middle of a withdrawal.
    function reenterToClaim(uint256 which) external counted {
        Memory storage m = _unspent(which);
        Voucher memory voucher = _voucher(m, escrow.channel(m.id).settled + 1);
        bytes memory signature = _sign(m.signerKey, escrow.digestOfVoucher(voucher));
        _withdrawAndCall(abi.encodeCall(escrow.claim, (m.parties, voucher, signature)), true);
    }

    /// @dev The end of a case in the middle of a withdrawal.
    function reenterToEndACase(uint256 which) external counted {
        uint256 found = _find(which, _anyKind(CaseState.Opened) | _anyKind(CaseState.PaidShown), false);
        Note storage n = found != 0 ? _notes[found - 1] : _openCase(which, CaseKind.WrongResult, false);
        Agreement memory a = n.agreement;
        uint256 deadline = escrow.caseOf(n.id).deadline;
        if (block.timestamp <= deadline) vm.warp(deadline + 1);
        Memory storage m = _channels[n.channel];
        uint96 settled = escrow.channel(m.id).settled;
        _withdrawAndCall(abi.encodeCall(escrow.timeoutCase, (m.parties, a)), true);
        if (escrow.channel(m.id).settled != settled) m.paidByCase = true;
    }

    /// @dev A second withdrawal, or a deposit, in the middle of one.
    function reenterTheLedger(bool twice) external counted {
        address to = _account(0);
        _refill(address(token), 1);
        if (twice) _withdrawAndCall(abi.encodeCall(escrow.withdraw, (to, 1)), false);
        else _withdrawAndCall(abi.encodeCall(escrow.depositFor, (to, 1)), false);
        vm.prank(address(token));
        escrow.withdraw(to, 1);
        ++withdrawn;
    }

    function _withdrawAndCall(bytes memory payload, bool succeeds) private {
        address account = _account(0);
        _refill(account, 1);
        ICallbackToken hooked = ICallbackToken(address(token));
        hooked.arm(address(escrow), payload);
        vm.prank(account);
        escrow.withdraw(account, 1);
        ++withdrawn;
        require(
            hooked.succeeded() == succeeds,
            succeeds ? "a call from within was refused" : "the ledger was re-entered"
        );
    }
}
