// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title WalletMock
/// @notice For tests: a contract account whose signatures are those of one key, until it changes its mind.
contract WalletMock is IERC1271 {
    address private immutable _KEY;
    bool private _revoked;

    /// @notice Deploys a wallet.
    /// @param key_ Address of the key that signs for it.
    constructor(address key_) {
        _KEY = key_;
    }

    /// @notice Takes all its signatures back.
    function revoke() external {
        _revoked = true;
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes memory signature) external view returns (bytes4) {
        bool valid = !_revoked && ECDSA.recover(hash, signature) == _KEY;
        return valid ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}
