// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrowErrors} from "../interfaces/IComputeEscrowErrors.sol";
import {AccountWord} from "../types/AccountWord.sol";
import {EscrowStorage} from "./EscrowStorage.sol";

/// @title Moves of accounts
/// @notice The only code that changes a balance.
abstract contract Accounts is EscrowStorage, IComputeEscrowErrors {
    function _credit(address account_, uint256 amount) internal {
        _pay(account_, amount, 0);
    }

    function _debit(address account_, uint96 amount) internal {
        AccountWord word = _accounts[account_];
        if (word.free() < amount) revert ComputeEscrowInsufficientFree(account_, word.free(), amount);
        unchecked {
            _accounts[account_] = AccountWord.wrap(AccountWord.unwrap(word) - amount); // free >= amount, just checked
        }
    }

    /// @dev Credits a payment less its fee, which is part of it.
    function _payNet(address account_, uint256 paid, uint256 fee) internal {
        unchecked {
            _pay(account_, paid - fee, fee); // a fee is never above its payment, see Fees
        }
    }

    /// @dev Credits `amount`; `fee`, taken from the same payment, stays beside it until collected.
    function _pay(address account_, uint256 amount, uint256 fee) internal {
        _accounts[account_] = _accounts[account_].adding(amount, fee);
    }

    function _fault(address account_) internal {
        _accounts[account_] = _accounts[account_].withFault();
    }
}
