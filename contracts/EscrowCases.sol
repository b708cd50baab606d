// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Cases} from "./base/Cases.sol";

/// @title The code of an escrow's cases
/// @notice Part of {ComputeEscrow}, which creates it and runs it by delegatecall, like the code of a linked library: together
/// they are more than the 24,576 bytes that a contract may have (EIP-170). Which code an escrow runs is fixed for ever
/// when it is created.
/// @dev Called by itself it has no channels, so that no case can be opened, and holds nothing.
contract EscrowCases is Cases {
    /// @notice Not here: messages are signed for the escrow, which shows its domain.
    function eip712Domain()
        public
        view
        override
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        revert ComputeEscrowNotAllowed(msg.sender);
    }
}
