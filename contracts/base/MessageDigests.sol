// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrow} from "../interfaces/IComputeEscrow.sol";
import {Messages} from "../libraries/Messages.sol";
import {Agreement, BondOffer, CloseMutual, Receipt, Voucher} from "../types/SignedMessages.sol";
import {SigningDomain} from "./SigningDomain.sol";

/// @title What the signers of messages sign
/// @notice Shows what each message's signer signs, for whoever wants to check another implementation.
abstract contract MessageDigests is SigningDomain, IComputeEscrow {
    using Messages for *;

    /// @inheritdoc IComputeEscrow
    function digestOfBondOffer(BondOffer calldata message) external view returns (bytes32) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IComputeEscrow
    function digestOfAgreement(Agreement calldata message) external view returns (bytes32) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IComputeEscrow
    function digestOfReceipt(Receipt calldata message) external view returns (bytes32) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IComputeEscrow
    function digestOfVoucher(Voucher calldata message) external view returns (bytes32) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IComputeEscrow
    function digestOfCloseMutual(CloseMutual calldata message) external view returns (bytes32) {
        return _hashTypedDataV4(message.hash());
    }
}
