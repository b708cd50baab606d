// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title CallbackToken
/// @notice For tests: during a transfer it calls a contract of the tester's choice, once, and remembers how that went.
contract CallbackToken is ERC20 {
    /// @notice Contract to call; zero for none.
    address public target;
    /// @notice What to call it with.
    bytes public payload;
    /// @notice Whether the call came back without an error.
    bool public succeeded;
    /// @notice What it came back with.
    bytes public answer;

    // solhint-disable-next-line no-empty-blocks
    constructor() ERC20("Callback", "CBK") {}

    /// @notice Makes tokens out of nothing.
    /// @param to Receiver.
    /// @param amount Token units.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Sets what to call during the next transfer.
    /// @param target_ Contract to call.
    /// @param payload_ What to call it with.
    function arm(address target_, bytes calldata payload_) external {
        target = target_;
        payload = payload_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (target == address(0) || from == address(0)) return;
        address called = target;
        target = address(0);
        // solhint-disable-next-line avoid-low-level-calls
        (succeeded, answer) = called.call(payload);
    }
}
