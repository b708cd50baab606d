// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {CaseKind} from "../../../contracts/types/Cases.sol";
import {ChannelId} from "../../../contracts/types/ChannelId.sol";
import {Agreement, Receipt} from "../../../contracts/types/SignedMessages.sol";
import {EscrowFixture} from "./EscrowFixture.sol";

/// @title A pair that agrees on jobs and brings them before the escrow
abstract contract CaseFixture is EscrowFixture {
    uint96 internal constant PRICE = 1e17;
    uint96 internal constant STAKE = 3e17;
    uint96 internal constant CASE_BOND = 1e16;

    /// @dev Job number `seq` of a channel, after `seq - 1` others of the same price; a day to do it, three to complain.
    function agreementOf(ChannelId id, uint64 seq, address verifier) internal view returns (Agreement memory) {
        return
            Agreement({
                channel: ChannelId.unwrap(id),
                seq: seq,
                offer: keccak256("offer"),
                spec: keccak256("spec"),
                input: keccak256("input"),
                tasks: 1,
                price: PRICE,
                owedAfter: PRICE * uint96(seq),
                stake: STAKE,
                caseBond: CASE_BOND,
                verifier: verifier,
                verifierParams: keccak256("params"),
                nonceCommitR: keccak256("r"),
                nonceCommitP: keccak256("p"),
                startBy: uint40(block.timestamp + 1 hours),
                finishBy: uint40(block.timestamp + 1 days),
                disputeUntil: uint40(block.timestamp + 4 days),
                onUndecided: 0
            });
    }

    function receiptOf(Agreement memory agreement) internal view returns (Receipt memory) {
        bytes32 id = caseIdOf(agreement);
        return Receipt(id, 1, agreement.price, keccak256("result"), 0, keccak256("data"), uint40(block.timestamp));
    }

    /// @dev Struct hash of the agreement, out of its digest's making: the case's id.
    function caseIdOf(Agreement memory agreement) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256(
                        "Agreement(bytes32 channel,uint64 seq,bytes32 offer,bytes32 spec,bytes32 input,uint32 tasks,uint96 price,uint96 owedAfter,uint96 stake,uint96 caseBond,address verifier,bytes32 verifierParams,bytes32 nonceCommitR,bytes32 nonceCommitP,uint40 startBy,uint40 finishBy,uint40 disputeUntil,uint8 onUndecided)"
                    ),
                    agreement
                )
            );
    }

    function signReceipt(Receipt memory receipt) internal view returns (bytes memory) {
        return sign(PROVIDER_SIGNER_KEY, escrow.digestOfReceipt(receipt));
    }

    function signBoth(Agreement memory agreement) internal view returns (bytes memory r, bytes memory p) {
        bytes32 digest = escrow.digestOfAgreement(agreement);
        return (sign(REQUESTER_SIGNER_KEY, digest), sign(PROVIDER_SIGNER_KEY, digest));
    }

    function openCase(CaseKind kind, uint96 counter, Agreement memory agreement) internal returns (bytes32) {
        (bytes memory r, bytes memory p) = signBoth(agreement);
        Receipt memory receipt = receiptOf(agreement);
        bytes memory signature = signReceipt(receipt);
        vm.prank(kind == CaseKind.NonPayment ? provider : requester);
        return escrow.openCase(kind, partiesOf(counter), agreement, r, p, receipt, signature);
    }
}
