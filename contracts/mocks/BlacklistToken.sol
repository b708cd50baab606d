// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title BlacklistToken
/// @notice For tests: refuses transfers to one address.
contract BlacklistToken is ERC20 {
    /// @notice Who gets nothing.
    address public banned;

    /// @notice Thrown when the banned address would receive.
    error BlacklistTokenBanned();

    // solhint-disable-next-line no-empty-blocks
    constructor() ERC20("Blacklist", "BAN") {}

    /// @notice Makes tokens out of nothing.
    /// @param to Receiver.
    /// @param amount Token units.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Sets who gets nothing from now on.
    /// @param whom The address.
    function ban(address whom) external {
        banned = whom;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (to == banned && to != address(0)) revert BlacklistTokenBanned();
        super._update(from, to, amount);
    }
}
