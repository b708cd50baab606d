// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title FeeOnTransferToken
/// @notice For tests: the receiver of a transfer gets one unit in a hundred less.
contract FeeOnTransferToken is ERC20 {
    // solhint-disable-next-line no-empty-blocks
    constructor() ERC20("Fee on transfer", "FEE") {}

    /// @notice Makes tokens out of nothing.
    /// @param to Receiver.
    /// @param amount Token units.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0)) super._update(to, address(0), amount / 100);
    }
}
