// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @title The token that calls during a transfer, as tests see it
interface ICallbackToken {
    function arm(address target, bytes calldata payload) external;
    function succeeded() external view returns (bool);
}
