// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

/// @title The only reading of a deadline
/// @notice A deadline is the last second of its time, so at each second exactly one side of it may act.
library Deadlines {
    /// @dev True from the second after `deadline` on.
    function expired(uint40 deadline) internal view returns (bool) {
        return block.timestamp > deadline;
    }

    /// @dev The second that is `wait` seconds from now.
    function from(uint40 wait) internal view returns (uint40) {
        return uint40(block.timestamp) + wait; // 40 bits of seconds last until the year 36812
    }
}
