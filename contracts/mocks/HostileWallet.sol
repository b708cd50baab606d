// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title HostileWallet
/// @notice For tests: a contract account that fails or attacks when asked for a signature or sent money.
contract HostileWallet is IERC1271 {
    /// @notice What it does when asked.
    enum Behaviour {
        Agree, // to everything
        Revert,
        BurnGas,
        ReturnMegabytes, // the first word agrees
        Reenter // calls the asker, and agrees only if that worked
    }

    /// @notice Thrown when it was told to fail, or refuses money.
    error HostileWalletFailed();

    uint256 private constant MUCH = 320_000;

    /// @notice What it does.
    Behaviour public behaviour;
    /// @notice What it calls the sender of money with; empty to take the money, one byte to refuse it.
    bytes public payload;
    /// @notice Whether that call came back without an error.
    bool public succeeded;
    /// @notice What it came back with.
    bytes public answer;

    /// @notice Takes the chain's own coin, or not.
    receive() external payable /* solhint-disable-line no-complex-fallback */ {
        if (payload.length == 0) return;
        if (payload.length == 1) revert HostileWalletFailed();
        // solhint-disable-next-line avoid-low-level-calls
        (succeeded, answer) = msg.sender.call(payload);
    }

    /// @notice Tells it what to do from now on.
    /// @param behaviour_ When asked for a signature.
    /// @param payload_ See `payload`.
    function set(Behaviour behaviour_, bytes calldata payload_) external {
        behaviour = behaviour_;
        payload = payload_;
    }

    /// @notice Calls another contract.
    /// @param target The contract.
    /// @param data With what.
    function act(address target, bytes calldata data) external payable {
        // solhint-disable-next-line avoid-low-level-calls
        (bool worked, ) = target.call{value: msg.value}(data);
        if (!worked) revert HostileWalletFailed();
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32, bytes memory) external view returns (bytes4) {
        if (behaviour == Behaviour.Revert) revert HostileWalletFailed();
        // solhint-disable-next-line no-empty-blocks
        if (behaviour == Behaviour.BurnGas) while (true) {}
        if (behaviour == Behaviour.Reenter) {
            // A static context: whatever changes something fails.
            // solhint-disable-next-line avoid-low-level-calls
            (bool worked, ) = msg.sender.staticcall(payload);
            if (!worked) revert HostileWalletFailed();
        }
        uint256 length = behaviour == Behaviour.ReturnMegabytes ? MUCH : 32;
        bytes4 agreed = IERC1271.isValidSignature.selector;
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, agreed)
            return(free, length)
        }
    }
}
