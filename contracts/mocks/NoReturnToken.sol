// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @title NoReturnToken
/// @notice For tests: transfers and approvals work but return nothing, as some old tokens do.
contract NoReturnToken {
    /// @notice Balances.
    mapping(address owner => uint256) public balanceOf;
    /// @notice Allowances.
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    /// @notice Makes tokens out of nothing.
    /// @param to Receiver.
    /// @param amount Token units.
    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// @notice Lets `spender` take tokens.
    /// @param spender Who may.
    /// @param amount Token units.
    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    /// @notice Sends tokens.
    /// @param to Receiver.
    /// @param amount Token units.
    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    /// @notice Sends another's tokens.
    /// @param from Sender.
    /// @param to Receiver.
    /// @param amount Token units.
    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
