// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @title The scripted verifier, as tests see it
interface IScriptedVerifier {
    function set(uint8 behaviour, uint256 verdict, uint96 fee, uint40 duration) external;
}
