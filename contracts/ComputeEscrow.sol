// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {CaseCalls} from "./base/CaseCalls.sol";
import {Channels} from "./base/Channels.sol";
import {FeePolicy} from "./base/FeePolicy.sol";
import {Ledger} from "./base/Ledger.sol";
import {MessageDigests} from "./base/MessageDigests.sol";
import {Sponsors} from "./base/Sponsors.sol";

/// @title ComputeEscrow
/// @notice See {IComputeEscrow}.
/// @dev Every unit is in exactly one bucket: an account's `free`, an account's fees paid and not yet collected, a
/// channel's `deposit - settled`, its `bond`, or a case's stake or posted bonds. Their sum is `liabilities`, which only
/// deposits and withdrawals change.
///
/// Only deposits and `withdraw` run code that can call back, the token's or a receiver's; they carry the guard. Wallets
/// and verifiers are asked by staticcall, which can change nothing. Every other call, also from within a callback,
/// finds a ledger that adds up and leaves one.
contract ComputeEscrow is Ledger, Channels, Sponsors, CaseCalls, MessageDigests {
    /// @notice Deploys an escrow for one settlement token.
    /// @param token_ Settlement token, or zero for the chain's own coin. Warning: never one that takes fees on transfer or
    /// changes balances by itself.
    /// @param owner_ May pause new exposure and announce fees; best a multisig or a TimelockController.
    /// @param treasury_ Account that fees are credited to.
    /// @param feeBps_ Fee of new channels, basis points.
    constructor(
        address token_,
        address owner_,
        address treasury_,
        uint16 feeBps_
    ) Ledger(token_) FeePolicy(owner_, treasury_, feeBps_) {}
}
