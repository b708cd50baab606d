// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";

import {EscrowCases} from "../EscrowCases.sol";
import {ICaseActions} from "../interfaces/ICaseActions.sol";
import {ICases} from "../interfaces/ICases.sol";
import {IComputeEscrow} from "../interfaces/IComputeEscrow.sol";
import {CaseLimits} from "../libraries/CaseLimits.sol";
import {
    Case,
    CaseKind,
    CaseSlots,
    CaseState,
    CONTESTED_BY_KEY,
    DOUBLINGS,
    OPENED_BY_KEY,
    PaidJob
} from "../types/Cases.sol";
import {Parties} from "../types/Channels.sol";
import {Agreement, Receipt, Voucher} from "../types/SignedMessages.sol";
import {EscrowStorage} from "./EscrowStorage.sol";

/// @title The escrow's side of its cases
/// @notice Shows them, and has the code of {EscrowCases} run every other call on them.
abstract contract CaseCalls is EscrowStorage, IComputeEscrow {
    /// @inheritdoc ICases
    uint40 public constant RESPONSE_WINDOW = CaseLimits.RESPONSE_WINDOW;
    /// @inheritdoc ICases
    uint40 public constant MAX_VERDICT_TIME = CaseLimits.MAX_VERDICT_TIME;
    /// @inheritdoc ICases
    uint256 public constant VERIFIER_GAS = CaseLimits.VERIFIER_GAS;
    /// @inheritdoc ICases
    uint8 public constant MAX_OPEN_CASES = CaseLimits.MAX_OPEN_CASES;

    address private immutable _CODE = address(new EscrowCases());

    /// @inheritdoc ICaseActions
    function anchor(bytes32) external {
        _run();
    }

    /// @inheritdoc ICaseActions
    function openCase(
        CaseKind,
        Parties calldata,
        Agreement calldata,
        bytes calldata,
        bytes calldata,
        Receipt calldata,
        bytes calldata
    ) external returns (bytes32 caseId) {
        return abi.decode(_run(), (bytes32));
    }

    /// @inheritdoc ICaseActions
    function equivocate(
        Parties calldata,
        Agreement calldata,
        bytes calldata,
        bytes calldata,
        Receipt[2] calldata,
        bytes[2] calldata
    ) external returns (bytes32 caseId) {
        return abi.decode(_run(), (bytes32));
    }

    /// @inheritdoc ICaseActions
    function concede(Parties calldata, Agreement calldata) external {
        _run();
    }

    /// @inheritdoc ICaseActions
    function contest(Parties calldata, Agreement calldata, Receipt calldata, bytes calldata) external {
        _run();
    }

    /// @inheritdoc ICaseActions
    function resolve(Parties calldata, Agreement calldata) external returns (CaseState outcome) {
        return abi.decode(_run(), (CaseState));
    }

    /// @inheritdoc ICaseActions
    function timeoutCase(Parties calldata, Agreement calldata) external returns (CaseState outcome) {
        return abi.decode(_run(), (CaseState));
    }

    /// @inheritdoc ICaseActions
    function showReceipt(
        Parties calldata,
        Agreement calldata,
        Receipt calldata,
        bytes calldata,
        bytes32,
        bytes32[] calldata
    ) external {
        _run();
    }

    /// @inheritdoc ICaseActions
    function provePaid(
        Parties calldata,
        Agreement calldata,
        Voucher calldata,
        bytes calldata,
        PaidJob calldata,
        bytes32[] calldata
    ) external {
        _run();
    }

    /// @inheritdoc ICaseActions
    function disprovePaid(
        Parties calldata,
        Agreement calldata,
        Voucher calldata,
        PaidJob calldata,
        Voucher calldata,
        bytes calldata,
        PaidJob calldata,
        bytes32[] calldata
    ) external {
        _run();
    }

    /// @inheritdoc ICases
    function caseOf(bytes32 caseId) external view returns (Case memory) {
        CaseSlots storage c = _cases[caseId];
        return
            Case({
                state: c.state,
                kind: c.kind,
                openedByKey: c.marks & OPENED_BY_KEY != 0,
                contestedByKey: c.marks & CONTESTED_BY_KEY != 0,
                doublings: c.marks & DOUBLINGS,
                amount: c.amount,
                stake: c.stake,
                verifierFee: c.verifierFee,
                deadline: c.deadline,
                evidence: c.evidence
            });
    }

    /// @inheritdoc ICases
    function anchoredAt(address signer, bytes32 root) external view returns (uint40) {
        return _anchors[signer][root];
    }

    /// @dev Runs the code of the cases on this very call: same data, caller and storage.
    function _run() private returns (bytes memory) {
        return Address.functionDelegateCall(_CODE, msg.data);
    }
}
