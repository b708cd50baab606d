// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IComputeEscrowErrors} from "../interfaces/IComputeEscrowErrors.sol";

/// @title The signing domain of the escrow
/// @notice Every message is for one escrow on one chain.
abstract contract SigningDomain is IComputeEscrowErrors, EIP712 {
    constructor() EIP712("ComputeEscrow", "1") {}

    /// @dev Session keys sign with a key, never by ERC-1271: a wallet could take its word back after the service.
    /// A malformed signature recovers to zero, which no channel has as a session key.
    function _checkSigner(address expected, bytes32 digest, bytes calldata signature) internal pure {
        (address recovered, , ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (recovered != expected) revert ComputeEscrowBadSigner(expected, recovered);
    }
}
