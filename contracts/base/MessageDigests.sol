// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IComputeEscrow} from "../interfaces/IComputeEscrow.sol";
import {Messages} from "../libraries/Messages.sol";
import {Agreement, BondOffer, CloseMutual, Receipt, Voucher} from "../types/SignedMessages.sol";

/// @title The signing domain of the escrow
/// @notice Shows what each message's signer signs, for whoever wants to check another implementation.
abstract contract MessageDigests is IComputeEscrow, EIP712 {
    using Messages for *;

    constructor() EIP712("ComputeEscrow", "1") {}

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
