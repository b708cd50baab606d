// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @title LyingToken
/// @notice For tests: says that transfers work and moves nothing, or says false where others revert.
contract LyingToken {
    /// @notice What it says of every transfer.
    bool public says = true;
    /// @notice What it says that everybody has.
    uint256 public constant BALANCE = 1e24;

    /// @notice Sets what it says of transfers.
    /// @param says_ What transfers return.
    function say(bool says_) external {
        says = says_;
    }

    /// @notice Says that somebody has much.
    /// @return Always the same.
    function balanceOf(address) external pure returns (uint256) {
        return BALANCE;
    }

    /// @notice Moves nothing.
    /// @return What was set.
    function transfer(address, uint256) external view returns (bool) {
        return says;
    }

    /// @notice Moves nothing.
    /// @return What was set.
    function transferFrom(address, address, uint256) external view returns (bool) {
        return says;
    }
}
