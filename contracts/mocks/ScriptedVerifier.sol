// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IVerifier, Verdict} from "../interfaces/IVerifier.sol";

/// @title ScriptedVerifier
/// @notice For tests: a verifier that answers, lies, fails or attacks as it is told.
contract ScriptedVerifier is IVerifier {
    /// @notice What it does when asked. The numbers are those of `set`.
    enum Behaviour {
        Answer, // what was set, be it no verdict at all
        Revert,
        BurnGas, // all it was given
        ReturnMegabytes, // as much as its gas pays for; the first words are a proper answer
        ReturnNothing,
        ReturnShort, // one byte less than a proper answer
        Reenter, // calls the asker, and answers only if that worked
        Flip // right in even seconds, wrong in odd ones; a fee and a time only in even ones
    }

    /// @notice Thrown when it was told to fail, or could not call the asker.
    error ScriptedVerifierFailed();

    /// @dev Longest answer, bytes, that the escrow's gas for a question pays for, rounded down.
    uint256 private constant MUCH = 320_000;

    Behaviour private _behaviour;
    uint256 private _verdict;
    uint96 private _fee;
    uint40 private _duration;
    bytes private _payload = abi.encodeWithSignature("anchor(bytes32)", keccak256("re-entered"));

    /// @notice Tells it what to do from now on.
    /// @param behaviour Number of a {Behaviour}.
    /// @param verdict_ What it rules, also numbers that are no {Verdict}.
    /// @param fee_ Fee that it quotes, token units.
    /// @param duration_ Time that it quotes, seconds.
    function set(uint8 behaviour, uint256 verdict_, uint96 fee_, uint40 duration_) external {
        (_behaviour, _verdict, _fee, _duration) = (Behaviour(behaviour), verdict_, fee_, duration_);
    }

    /// @notice Tells it what to call the asker with when it re-enters.
    /// @param payload_ Calldata; at first a call of `anchor`.
    function arm(bytes calldata payload_) external {
        _payload = payload_;
    }

    /// @inheritdoc IVerifier
    function quote(bytes32) external view returns (uint96, uint40, uint64) {
        bool says = _behaviour != Behaviour.Flip || block.timestamp % 2 == 0;
        _act(abi.encode(says ? _fee : 0, says ? _duration : 0, uint64(0)), 63);
    }

    /// @inheritdoc IVerifier
    function verdict(bytes32) external view returns (Verdict) {
        uint256 ruled = _verdict;
        if (_behaviour == Behaviour.Flip)
            ruled = uint256(block.timestamp % 2 == 0 ? Verdict.ProviderRight : Verdict.ProviderWrong);
        _act(abi.encode(ruled), 31);
    }

    /// @dev Ends the call, in one way or another. `tooShort` is a length that is no proper answer.
    function _act(bytes memory answer, uint256 tooShort) private view {
        uint256 length = answer.length;
        if (_behaviour == Behaviour.Revert) revert ScriptedVerifierFailed();
        // solhint-disable-next-line no-empty-blocks
        if (_behaviour == Behaviour.BurnGas) while (true) {}
        if (_behaviour == Behaviour.ReturnMegabytes) length = MUCH;
        if (_behaviour == Behaviour.ReturnNothing) length = 0;
        if (_behaviour == Behaviour.ReturnShort) length = tooShort;
        if (_behaviour == Behaviour.Reenter && !_asView(_reenter)(msg.sender)) revert ScriptedVerifierFailed();
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            return(add(answer, 0x20), length)
        }
    }

    /// @dev What an attacker's own compiler would not forbid it.
    function _reenter(address asker) private returns (bool worked) {
        // solhint-disable-next-line avoid-low-level-calls
        (worked, ) = asker.call(_payload);
    }

    function _asView(
        function(address) internal returns (bool) changing
    ) private pure returns (function(address) internal view returns (bool) viewing) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            viewing := changing
        }
    }
}
