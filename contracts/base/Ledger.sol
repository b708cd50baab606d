// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

import {IComputeEscrow} from "../interfaces/IComputeEscrow.sol";
import {Account} from "../types/Channels.sol";
import {Accounts} from "./Accounts.sol";
import {FeePolicy} from "./FeePolicy.sol";

/// @title Accounts, and the only places where tokens come and go
/// @notice What is not in a channel is in an account: free, or a fee taken from a payment and not yet collected.
/// @dev Deposits and `withdraw` run the token's code, or the receiver's, which may call back; they carry the guard.
abstract contract Ledger is Accounts, FeePolicy, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    IERC20 private immutable _TOKEN;

    uint256 private _liabilities;
    // A fee stays with the account it was taken from, in the slot a claim writes anyway, until somebody collects it.
    mapping(address payer => uint256 amount) private _feesCollected;

    constructor(address token_) {
        if (token_ != address(0) && token_.code.length == 0) revert ComputeEscrowNoToken(token_);
        _TOKEN = IERC20(token_);
    }

    /// @inheritdoc IComputeEscrow
    function deposit(uint96 amount) external payable nonReentrant whenNotPaused {
        _deposit(msg.sender, amount);
    }

    /// @inheritdoc IComputeEscrow
    function depositFor(address account_, uint96 amount) external payable nonReentrant whenNotPaused {
        if (account_ == address(0) || account_ == address(this)) revert ComputeEscrowInvalidAddress();
        _deposit(account_, amount);
    }

    /// @inheritdoc IComputeEscrow
    function depositWithPermit(
        uint96 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant whenNotPaused {
        // A used permit is no failure: whoever saw it may have sent it first. The transfer tells whether it took effect.
        // solhint-disable-next-line no-empty-blocks
        try IERC20Permit(address(_TOKEN)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(msg.sender, amount);
    }

    /// @inheritdoc IComputeEscrow
    function withdraw(address to, uint96 amount) external nonReentrant {
        if (to == address(0) || to == address(this)) revert ComputeEscrowInvalidAddress();
        if (amount == 0) revert ComputeEscrowZeroAmount();
        _debit(msg.sender, amount);
        _liabilities -= amount;
        emit Withdrawn(msg.sender, to, amount);

        if (_isNative()) return Address.sendValue(payable(to), amount);
        uint256 before = _TOKEN.balanceOf(address(this));
        _TOKEN.safeTransfer(to, amount);
        uint256 sent = before - _TOKEN.balanceOf(address(this));
        if (sent != amount) revert ComputeEscrowTokenDelta(amount, sent);
    }

    /// @inheritdoc IComputeEscrow
    function collectFees(address[] calldata payers) external returns (uint256 total) {
        address treasury_ = treasury();
        for (uint256 i = 0; i < payers.length; ++i) {
            uint256 feesPaid = _accounts[payers[i]].feesPaid();
            uint256 amount = feesPaid - _feesCollected[payers[i]];
            if (amount == 0) continue;
            _feesCollected[payers[i]] = feesPaid;
            total += amount;
            emit FeesCollected(payers[i], treasury_, amount);
        }
        _credit(treasury_, total);
    }

    /// @inheritdoc IComputeEscrow
    function account(address owner_) external view returns (Account memory) {
        return _accounts[owner_].shown();
    }

    /// @inheritdoc IComputeEscrow
    function liabilities() external view returns (uint256) {
        return _liabilities;
    }

    /// @inheritdoc IComputeEscrow
    function token() external view returns (address) {
        return address(_TOKEN);
    }

    /// @inheritdoc IComputeEscrow
    function uncollectedFees(address payer) external view returns (uint256) {
        return _accounts[payer].feesPaid() - _feesCollected[payer];
    }

    /// @dev Takes exactly `amount` of the settlement token from the caller or reverts. Credits last, when it is here.
    function _deposit(address account_, uint96 amount) private {
        if (amount == 0) revert ComputeEscrowZeroAmount();
        if (msg.value != (_isNative() ? amount : 0)) revert ComputeEscrowTokenDelta(amount, msg.value);
        if (!_isNative()) {
            uint256 before = _TOKEN.balanceOf(address(this));
            _TOKEN.safeTransferFrom(msg.sender, address(this), amount);
            uint256 received = _TOKEN.balanceOf(address(this)) - before;
            if (received != amount) revert ComputeEscrowTokenDelta(amount, received);
        }
        _liabilities += amount;
        _credit(account_, amount);
        emit Deposited(msg.sender, account_, amount);
    }

    /// @dev True when the escrow is of the chain's own coin.
    function _isNative() private view returns (bool) {
        return address(_TOKEN) == address(0);
    }
}
