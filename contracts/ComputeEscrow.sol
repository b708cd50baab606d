// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IComputeEscrow} from "./interfaces/IComputeEscrow.sol";
import {Fees} from "./libraries/Fees.sol";
import {Messages} from "./libraries/Messages.sol";
import {ChannelId} from "./types/ChannelId.sol";
import {Account, Channel, ChannelStatus, OpenTerms, Parties} from "./types/Channels.sol";
import {Agreement, BondOffer, CloseMutual, Receipt, Voucher} from "./types/SignedMessages.sol";

/// @title ComputeEscrow
/// @notice See {IComputeEscrow}.
/// @dev Every unit is in exactly one bucket: an account's `free`, a channel's `deposit - settled` or `bond`, or
/// `_uncollectedFees`. Their sum is `liabilities`, which only deposits and withdrawals change.
///
/// Only deposits and `withdraw` call the token, and only `open` calls a wallet, by staticcall and before it writes.
/// These carry the guard. The other calls run no foreign code, and within a callback of the token they find a ledger
/// that adds up, so they go without it.
contract ComputeEscrow is IComputeEscrow, EIP712, Ownable2Step, Pausable, ReentrancyGuardTransient {
    using Messages for *;
    using SafeERC20 for IERC20;

    /// @inheritdoc IComputeEscrow
    uint16 public constant MAX_FEE_BPS = 500;
    /// @inheritdoc IComputeEscrow
    uint40 public constant FEE_DELAY = 7 days;
    /// @inheritdoc IComputeEscrow
    uint40 public constant CLOSE_NOTICE = 24 hours;

    IERC20 private immutable _TOKEN;

    // Shares a slot with the pause flag, so that opening a channel reads both at once.
    uint16 private _feeBps; // 2 bytes
    uint40 private _nextFeeReadyAt; // 5 bytes, 0 when nothing is announced
    uint16 private _nextFeeBps; // 2 bytes

    // One slot: a claim adds its fee here instead of reading the treasury and writing its account.
    address private _treasury; // 20 bytes
    uint96 private _uncollectedFees; // 12 bytes

    address private _nextTreasury; // 20 bytes

    uint256 private _liabilities;
    mapping(address owner => Account) private _accounts;
    mapping(ChannelId id => Channel) private _channels;

    /// @notice Deploys an escrow for one token.
    /// @param token_ Settlement token. Warning: never one that takes fees on transfer or changes balances by itself.
    /// @param owner_ May pause new exposure and announce fees; best a multisig or a TimelockController.
    /// @param treasury_ Account that fees are credited to.
    /// @param feeBps_ Fee of new channels, basis points.
    constructor(
        address token_,
        address owner_,
        address treasury_,
        uint16 feeBps_
    ) EIP712("ComputeEscrow", "1") Ownable(owner_) {
        if (token_.code.length == 0) revert ComputeEscrowNoToken(token_);
        _checkFeePolicy(feeBps_, treasury_);
        _TOKEN = IERC20(token_);
        _feeBps = feeBps_;
        _treasury = treasury_;
        emit FeePolicyApplied(feeBps_, treasury_);
    }

    // ------------------------------------------------------------------------------------------------- ledger

    /// @inheritdoc IComputeEscrow
    function deposit(uint96 amount) external nonReentrant whenNotPaused {
        _deposit(msg.sender, amount);
    }

    /// @inheritdoc IComputeEscrow
    function depositFor(address account_, uint96 amount) external nonReentrant whenNotPaused {
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

        uint256 before = _TOKEN.balanceOf(address(this));
        _TOKEN.safeTransfer(to, amount);
        uint256 sent = before - _TOKEN.balanceOf(address(this));
        if (sent != amount) revert ComputeEscrowTokenDelta(amount, sent);
    }

    // ----------------------------------------------------------------------------------------------- channels

    /// @inheritdoc IComputeEscrow
    function open(
        OpenTerms calldata terms,
        bytes calldata bondSignature
    ) external nonReentrant whenNotPaused returns (ChannelId id) {
        if (terms.deposit == 0) revert ComputeEscrowZeroAmount();
        if (terms.provider == address(0) || terms.requesterSigner == address(0) || terms.providerSigner == address(0))
            revert ComputeEscrowInvalidAddress();
        if (address(uint160(terms.nonce)) != terms.requesterSigner)
            revert ComputeEscrowNonceNotBound(terms.nonce, terms.requesterSigner);
        if (_expired(terms.bondExpiry)) revert ComputeEscrowExpired(terms.bondExpiry);

        id = Parties({
            requester: msg.sender,
            provider: terms.provider,
            requesterSigner: terms.requesterSigner,
            providerSigner: terms.providerSigner,
            nonce: terms.nonce
        }).channelId(address(this));
        Channel storage channel_ = _channels[id];
        if (channel_.status != ChannelStatus.None) revert ComputeEscrowChannelExists(id);
        _checkBondOffer(terms, bondSignature);

        uint16 feeBps_ = _feeBps;
        _debit(msg.sender, terms.deposit);
        if (terms.bond != 0) {
            _debit(terms.provider, terms.bond);
            channel_.bond = terms.bond;
        }
        channel_.deposit = terms.deposit;
        channel_.settled = 0;
        channel_.closeAt = 0;
        channel_.feeBps = feeBps_;
        channel_.status = ChannelStatus.Open;
        emit Opened(
            id,
            msg.sender,
            terms.provider,
            terms.requesterSigner,
            terms.providerSigner,
            terms.nonce,
            terms.deposit,
            terms.bond,
            feeBps_,
            terms.agreement
        );
    }

    /// @inheritdoc IComputeEscrow
    function topUp(ChannelId id, uint96 amount) external whenNotPaused {
        Channel storage channel_ = _liveChannel(id);
        if (amount == 0) revert ComputeEscrowZeroAmount();
        _debit(msg.sender, amount);
        uint96 deposit_ = channel_.deposit + amount;
        channel_.deposit = deposit_;
        emit ToppedUp(id, msg.sender, amount, deposit_);
    }

    /// @inheritdoc IComputeEscrow
    function addBond(ChannelId id, uint96 amount) external whenNotPaused {
        Channel storage channel_ = _liveChannel(id);
        if (amount == 0) revert ComputeEscrowZeroAmount();
        _debit(msg.sender, amount);
        uint96 bond_ = channel_.bond + amount;
        channel_.bond = bond_;
        emit BondAdded(id, msg.sender, amount, bond_);
    }

    /// @inheritdoc IComputeEscrow
    function claim(
        Parties calldata parties,
        Voucher calldata voucher,
        bytes calldata signature
    ) external returns (uint96 paid) {
        (ChannelId id, Channel storage channel_) = _named(voucher.channel, parties);
        _checkLive(id, channel_.status);
        _checkVoucher(parties, voucher, signature);
        paid = _settle(id, channel_, parties.provider, voucher);
        if (paid == 0) revert ComputeEscrowNothingToClaim(id, voucher.cumulative, channel_.settled);
    }

    /// @inheritdoc IComputeEscrow
    function claimMany(
        Parties[] calldata parties,
        Voucher[] calldata vouchers,
        bytes[] calldata signatures
    ) external returns (uint256 paid) {
        uint256 count = parties.length;
        if (vouchers.length != count || signatures.length != count) revert ComputeEscrowLengthMismatch();
        for (uint256 i = 0; i < count; ++i) {
            (ChannelId id, Channel storage channel_) = _named(vouchers[i].channel, parties[i]);
            _checkVoucher(parties[i], vouchers[i], signatures[i]);
            if (!_isLive(channel_.status)) continue;
            paid += _settle(id, channel_, parties[i].provider, vouchers[i]);
        }
    }

    /// @inheritdoc IComputeEscrow
    function claimAndClose(
        Parties calldata parties,
        Voucher calldata voucher,
        bytes calldata signature
    ) external returns (uint96 paid) {
        if (msg.sender != parties.provider && msg.sender != parties.providerSigner)
            revert ComputeEscrowNotAllowed(msg.sender);
        (ChannelId id, Channel storage channel_) = _named(voucher.channel, parties);
        _checkLive(id, channel_.status);
        _checkVoucher(parties, voucher, signature);
        paid = _settle(id, channel_, parties.provider, voucher);
        _close(id, channel_, parties);
    }

    /// @inheritdoc IComputeEscrow
    function startClose(Parties calldata parties) external {
        if (
            msg.sender != parties.requester &&
            msg.sender != parties.provider &&
            msg.sender != parties.requesterSigner &&
            msg.sender != parties.providerSigner
        ) revert ComputeEscrowNotAllowed(msg.sender);
        ChannelId id = parties.channelId(address(this));
        Channel storage channel_ = _channels[id];
        if (channel_.status != ChannelStatus.Open) revert ComputeEscrowWrongStatus(id, channel_.status);
        uint40 closeAt = uint40(block.timestamp) + CLOSE_NOTICE;
        channel_.status = ChannelStatus.Closing;
        channel_.closeAt = closeAt;
        emit Closing(id, msg.sender, closeAt);
    }

    /// @inheritdoc IComputeEscrow
    function close(Parties calldata parties) external {
        ChannelId id = parties.channelId(address(this));
        Channel storage channel_ = _channels[id];
        if (channel_.status != ChannelStatus.Closing) revert ComputeEscrowWrongStatus(id, channel_.status);
        if (!_expired(channel_.closeAt)) revert ComputeEscrowTooEarly(channel_.closeAt);
        _close(id, channel_, parties);
    }

    /// @inheritdoc IComputeEscrow
    function closeMutual(
        Parties calldata parties,
        CloseMutual calldata agreed,
        bytes calldata requesterSignature,
        bytes calldata providerSignature
    ) external {
        (ChannelId id, Channel storage channel_) = _named(agreed.channel, parties);
        _checkLive(id, channel_.status);
        if (_expired(agreed.deadline)) revert ComputeEscrowExpired(agreed.deadline);
        bytes32 digest = _hashTypedDataV4(agreed.hash());
        _checkSigner(parties.requesterSigner, digest, requesterSignature);
        _checkSigner(parties.providerSigner, digest, providerSignature);
        if (agreed.finalSettled < channel_.settled || agreed.finalSettled > channel_.deposit)
            revert ComputeEscrowFinalOutOfRange(id, agreed.finalSettled, channel_.settled, channel_.deposit);
        _settle(id, channel_, parties.provider, Voucher(agreed.channel, agreed.finalSettled, 0, 0));
        _close(id, channel_, parties);
    }

    // --------------------------------------------------------------------------------------------- the platform

    /// @inheritdoc IComputeEscrow
    function collectFees() external returns (uint256 amount) {
        return _collectFees();
    }

    /// @inheritdoc IComputeEscrow
    function scheduleFeePolicy(uint16 newFeeBps, address newTreasury) external onlyOwner {
        _checkFeePolicy(newFeeBps, newTreasury);
        uint40 readyAt = uint40(block.timestamp) + FEE_DELAY;
        _nextFeeBps = newFeeBps;
        _nextTreasury = newTreasury;
        _nextFeeReadyAt = readyAt;
        emit FeePolicyScheduled(newFeeBps, newTreasury, readyAt);
    }

    /// @inheritdoc IComputeEscrow
    function cancelFeePolicy() external onlyOwner {
        if (_nextFeeReadyAt == 0) revert ComputeEscrowNoFeePolicyScheduled();
        _clearScheduledFeePolicy();
        emit FeePolicyCancelled();
    }

    /// @inheritdoc IComputeEscrow
    function applyFeePolicy() external {
        uint40 readyAt = _nextFeeReadyAt;
        if (readyAt == 0) revert ComputeEscrowNoFeePolicyScheduled();
        if (!_expired(readyAt)) revert ComputeEscrowTooEarly(readyAt);
        _collectFees();
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

    // ---------------------------------------------------------------------------------------------------- views

    /// @inheritdoc IComputeEscrow
    function account(address owner_) external view returns (Account memory) {
        return _accounts[owner_];
    }

    /// @inheritdoc IComputeEscrow
    function channel(ChannelId id) external view returns (Channel memory) {
        return _channels[id];
    }

    /// @inheritdoc IComputeEscrow
    function channelIdOf(Parties calldata parties) external view returns (ChannelId) {
        return parties.channelId(address(this));
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
    function feeBps() external view returns (uint16) {
        return _feeBps;
    }

    /// @inheritdoc IComputeEscrow
    function treasury() external view returns (address) {
        return _treasury;
    }

    /// @inheritdoc IComputeEscrow
    function uncollectedFees() external view returns (uint256) {
        return _uncollectedFees;
    }

    /// @inheritdoc IComputeEscrow
    function scheduledFeePolicy() external view returns (uint16 nextFeeBps, address nextTreasury, uint40 readyAt) {
        return (_nextFeeBps, _nextTreasury, _nextFeeReadyAt);
    }

    /// @inheritdoc IComputeEscrow
    function digestOfBondOffer(BondOffer calldata message) external view returns (bytes32) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IComputeEscrow
    function digestOfAgreement(Agreement calldata message) external view returns (bytes32) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IComputeEscrow
    function digestOfReceipt(Receipt calldata message) external view returns (bytes32) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IComputeEscrow
    function digestOfVoucher(Voucher calldata message) external view returns (bytes32) {
        return _hashTypedDataV4(message.hash());
    }

    /// @inheritdoc IComputeEscrow
    function digestOfCloseMutual(CloseMutual calldata message) external view returns (bytes32) {
        return _hashTypedDataV4(message.hash());
    }

    // ------------------------------------------------------------------------------------------ money, in and out

    /// @dev Takes exactly `amount` tokens from the caller or reverts. Credits last, when the tokens are here.
    function _deposit(address account_, uint96 amount) private {
        if (amount == 0) revert ComputeEscrowZeroAmount();
        uint256 before = _TOKEN.balanceOf(address(this));
        _TOKEN.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = _TOKEN.balanceOf(address(this)) - before;
        if (received != amount) revert ComputeEscrowTokenDelta(amount, received);
        _liabilities += amount;
        _credit(account_, amount);
        emit Deposited(msg.sender, account_, amount);
    }

    function _credit(address account_, uint96 amount) private {
        _accounts[account_].free += amount;
    }

    function _debit(address account_, uint96 amount) private {
        uint112 free = _accounts[account_].free;
        if (free < amount) revert ComputeEscrowInsufficientFree(account_, free, amount);
        unchecked {
            _accounts[account_].free = free - amount; // free >= amount, just checked
        }
    }

    // ------------------------------------------------------------------------------------------ moves of a channel

    /// @dev The one place where a channel pays. Pays up to `voucher.cumulative` as far as the deposit reaches;
    /// zero, and no effect, when that is not above what was paid.
    function _settle(
        ChannelId id,
        Channel storage channel_,
        address provider,
        Voucher memory voucher
    ) private returns (uint96 paid) {
        uint96 before = channel_.settled;
        uint96 target = voucher.cumulative < channel_.deposit ? voucher.cumulative : channel_.deposit;
        if (target <= before) return 0;
        unchecked {
            paid = target - before; // target > before, just checked
        }
        // Fits: a fee on a step is never above the step.
        uint96 fee = uint96(Fees.feeOnStep(before, target, channel_.feeBps));
        channel_.settled = target;
        if (fee != 0) _uncollectedFees += fee;
        _credit(provider, paid - fee);
        emit Claimed(id, voucher.cumulative, paid, fee, voucher.jobs, voucher.jobsRoot);
    }

    /// @dev Gives back what is left and leaves the tombstone: status `Closed`, `deposit` down to `settled`.
    function _close(ChannelId id, Channel storage channel_, Parties calldata parties) private {
        uint96 settled = channel_.settled;
        uint96 rest = channel_.deposit - settled;
        uint96 bond = channel_.bond;
        channel_.deposit = settled;
        channel_.closeAt = 0;
        channel_.status = ChannelStatus.Closed;
        if (rest != 0) _credit(parties.requester, rest);
        if (bond != 0) {
            channel_.bond = 0;
            _credit(parties.provider, bond);
        }
        emit Closed(id, settled, rest, bond);
    }

    function _collectFees() private returns (uint96 amount) {
        amount = _uncollectedFees;
        if (amount == 0) return 0;
        address treasury_ = _treasury;
        _uncollectedFees = 0;
        _credit(treasury_, amount);
        emit FeesCollected(treasury_, amount);
    }

    function _clearScheduledFeePolicy() private {
        _nextFeeBps = 0;
        _nextTreasury = address(0);
        _nextFeeReadyAt = 0;
    }

    // ------------------------------------------------------------------------------------------------- checks

    /// @dev The only reading of a deadline: inclusive, so at each second exactly one side of it may act.
    function _expired(uint40 deadline) private view returns (bool) {
        return block.timestamp > deadline;
    }

    function _isLive(ChannelStatus status) private pure returns (bool) {
        return status == ChannelStatus.Open || status == ChannelStatus.Closing;
    }

    function _checkLive(ChannelId id, ChannelStatus status) private pure {
        if (!_isLive(status)) revert ComputeEscrowWrongStatus(id, status);
    }

    function _liveChannel(ChannelId id) private view returns (Channel storage channel_) {
        channel_ = _channels[id];
        _checkLive(id, channel_.status);
    }

    /// @dev Channel of `parties`, provided it is the one the message names.
    function _named(
        bytes32 name,
        Parties calldata parties
    ) private view returns (ChannelId id, Channel storage channel_) {
        id = parties.channelId(address(this));
        if (ChannelId.unwrap(id) != name) revert ComputeEscrowWrongParties(ChannelId.wrap(name), id);
        channel_ = _channels[id];
    }

    function _checkVoucher(Parties calldata parties, Voucher calldata voucher, bytes calldata signature) private view {
        _checkSigner(parties.requesterSigner, _hashTypedDataV4(voucher.hash()), signature);
    }

    /// @dev Session keys sign with a key, never by ERC-1271: a wallet could take its word back after the service.
    function _checkSigner(address expected, bytes32 digest, bytes calldata signature) private pure {
        address recovered = ECDSA.recoverCalldata(digest, signature);
        if (recovered != expected) revert ComputeEscrowBadSigner(expected, recovered);
    }

    /// @dev The owner account signs with its key or, being a contract, by ERC-1271. The key is tried first: it spares
    /// most openings a look at the account's code.
    function _checkBondOffer(OpenTerms calldata terms, bytes calldata signature) private view {
        bytes32 digest = _hashTypedDataV4(
            BondOffer({
                provider: terms.provider,
                requester: msg.sender,
                providerSigner: terms.providerSigner,
                bond: terms.bond,
                expiry: terms.bondExpiry,
                nonce: terms.nonce
            }).hash()
        );
        (address recovered, ECDSA.RecoverError fault, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (fault == ECDSA.RecoverError.NoError && recovered == terms.provider) return;
        if (!SignatureChecker.isValidERC1271SignatureNowCalldata(terms.provider, digest, signature))
            revert ComputeEscrowBadBondSignature(terms.provider);
    }

    function _checkFeePolicy(uint16 feeBps_, address treasury_) private view {
        if (feeBps_ > MAX_FEE_BPS) revert ComputeEscrowFeeTooHigh(feeBps_, MAX_FEE_BPS);
        if (treasury_ == address(0) || treasury_ == address(this)) revert ComputeEscrowInvalidAddress();
    }
}
