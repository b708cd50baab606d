// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title TestToken
/// @notice WORTHLESS BY DESIGN: anyone may mint any amount. For local networks and tests; never settle with it.
contract TestToken is ERC20, ERC20Permit {
    // solhint-disable-next-line no-empty-blocks
    constructor() ERC20("ComputeHive Test Token", "HIVETEST") ERC20Permit("ComputeHive Test Token") {}

    /// @notice Makes tokens out of nothing. WARNING: open to everybody.
    /// @param to Receiver.
    /// @param amount Token units.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
