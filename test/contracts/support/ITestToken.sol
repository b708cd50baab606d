// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The test token, as tests see it
interface ITestToken is IERC20 {
    function mint(address to, uint256 amount) external;
}
