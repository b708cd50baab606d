// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title SenderPaysToken
/// @notice For tests: once told to, the sender of a transfer is debited one unit in a hundred more.
contract SenderPaysToken is ERC20 {
    /// @notice Whether senders pay more.
    bool public greedy;

    // solhint-disable-next-line no-empty-blocks
    constructor() ERC20("Sender pays", "SND") {}

    /// @notice Makes tokens out of nothing.
    /// @param to Receiver.
    /// @param amount Token units.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Makes senders pay more from now on.
    function becomeGreedy() external {
        greedy = true;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (greedy && from != address(0) && to != address(0)) super._update(from, address(0), amount / 100);
    }
}
