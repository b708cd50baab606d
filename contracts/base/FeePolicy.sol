// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {IComputeEscrow} from "../interfaces/IComputeEscrow.sol";
import {Deadlines} from "../libraries/Deadlines.sol";
import {EscrowStorage} from "./EscrowStorage.sol";

/// @title All that the owner may do
/// @notice Pause new exposure at once, and change fee and treasury after a wait. Nothing here touches a balance.
abstract contract FeePolicy is EscrowStorage, IComputeEscrow, Ownable2Step, Pausable {
    using Deadlines for uint40;

    /// @inheritdoc IComputeEscrow
    uint16 public constant MAX_FEE_BPS = 500;
    /// @inheritdoc IComputeEscrow
    uint40 public constant FEE_DELAY = 7 days;

    // These share a slot with the pause flag, so that opening a channel loads flag and fee at once.
    uint16 private _feeBps; // 2 bytes
    uint16 private _nextFeeBps; // 2 bytes
    uint40 private _nextReadyAt; // 5 bytes, 0 when nothing is announced

    address private _nextTreasury;

    constructor(address owner_, address treasury_, uint16 feeBps_) Ownable(owner_) {
        _checkFeePolicy(feeBps_, treasury_);
        _feeBps = feeBps_;
        _treasury = treasury_;
        emit FeePolicyApplied(feeBps_, treasury_);
    }

    /// @inheritdoc IComputeEscrow
    function scheduleFeePolicy(uint16 newFeeBps, address newTreasury) external onlyOwner {
        _checkFeePolicy(newFeeBps, newTreasury);
        uint40 readyAt = FEE_DELAY.from();
        _nextFeeBps = newFeeBps;
        _nextTreasury = newTreasury;
        _nextReadyAt = readyAt;
        emit FeePolicyScheduled(newFeeBps, newTreasury, readyAt);
    }

    /// @inheritdoc IComputeEscrow
    function cancelFeePolicy() external onlyOwner {
        if (_nextReadyAt == 0) revert ComputeEscrowNoFeePolicyScheduled();
        _clearScheduledFeePolicy();
        emit FeePolicyCancelled();
    }

    /// @inheritdoc IComputeEscrow
    function applyFeePolicy() external {
        uint40 readyAt = _nextReadyAt;
        if (readyAt == 0) revert ComputeEscrowNoFeePolicyScheduled();
        if (!readyAt.expired()) revert ComputeEscrowTooEarly(readyAt);
        uint16 newFeeBps = _nextFeeBps;
        address newTreasury = _nextTreasury;
        _clearScheduledFeePolicy();
        _feeBps = newFeeBps;
        _treasury = newTreasury;
        emit FeePolicyApplied(newFeeBps, newTreasury);
    }

    /// @inheritdoc IComputeEscrow
    function pause() external onlyOwner {
        _pause();
    }

    /// @inheritdoc IComputeEscrow
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @inheritdoc IComputeEscrow
    function feeBps() public view returns (uint16) {
        return _feeBps;
    }

    /// @inheritdoc IComputeEscrow
    function treasury() public view returns (address) {
        return _treasury;
    }

    /// @inheritdoc IComputeEscrow
    function scheduledFeePolicy() public view returns (uint16 nextFeeBps, address nextTreasury, uint40 readyAt) {
        return (_nextFeeBps, _nextTreasury, _nextReadyAt);
    }

    function _clearScheduledFeePolicy() private {
        _nextFeeBps = 0;
        _nextTreasury = address(0);
        _nextReadyAt = 0;
    }

    function _checkFeePolicy(uint16 feeBps_, address treasury_) private view {
        if (feeBps_ > MAX_FEE_BPS) revert ComputeEscrowFeeTooHigh(feeBps_, MAX_FEE_BPS);
        if (treasury_ == address(0) || treasury_ == address(this)) revert ComputeEscrowInvalidAddress();
    }
}
