// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {FeePolicy} from "./base/FeePolicy.sol";
import {Ledger} from "./base/Ledger.sol";
import {MessageDigests} from "./base/MessageDigests.sol";
import {IComputeEscrow} from "./interfaces/IComputeEscrow.sol";
import {Deadlines} from "./libraries/Deadlines.sol";
import {Fees} from "./libraries/Fees.sol";
import {Messages} from "./libraries/Messages.sol";
import {ChannelId} from "./types/ChannelId.sol";
import {ChannelWord, packChannel} from "./types/ChannelWord.sol";
import {BatchedVoucher, Channel, ChannelStatus, OpenTerms, Parties} from "./types/Channels.sol";
import {CloseMutual, Voucher} from "./types/SignedMessages.sol";

/// @title ComputeEscrow
/// @notice See {IComputeEscrow}.
/// @dev Every unit is in exactly one bucket: an account's `free`, an account's fees paid and not yet collected, a
/// channel's `deposit - settled`, or its `bond`. Their sum is `liabilities`, which only deposits and withdrawals change.
///
/// Only deposits and `withdraw` run code that can call back, the token's; they carry the guard. `open` asks a wallet by
/// staticcall, which can change nothing. Every other call, also from within a callback of the token, finds a ledger that
/// adds up and leaves one.
contract ComputeEscrow is IComputeEscrow, MessageDigests, Ledger {
    using Deadlines for uint40;
    using Messages for *;

    /// @dev A channel as it is stored, two slots; {Channel} is how it is shown.
    struct ChannelSlots {
        ChannelWord word; // 32 bytes, all that a claim touches
        uint96 bond; // 12 bytes
        uint40 bondFreeAt; // 5 bytes, 0 in this version; 15 bytes are spare for cases that hold the bond
    }

    /// @inheritdoc IComputeEscrow
    uint40 public constant CLOSE_NOTICE = 24 hours;

    mapping(ChannelId id => ChannelSlots) private _channels;

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
    ) Ledger(token_) FeePolicy(owner_, treasury_, feeBps_) {}

    // ----------------------------------------------------------------------------------------------- channels

    /// @inheritdoc IComputeEscrow
    function open(OpenTerms memory terms, bytes calldata bondSignature) external whenNotPaused returns (ChannelId id) {
        if (terms.deposit == 0) revert ComputeEscrowZeroAmount();
        if (terms.provider == address(0) || terms.requesterSigner == address(0) || terms.providerSigner == address(0))
            revert ComputeEscrowInvalidAddress();
        if (Messages.requesterSigner(terms.nonce) != terms.requesterSigner)
            revert ComputeEscrowNonceNotBound(terms.nonce, terms.requesterSigner);
        if (terms.bondExpiry.expired()) revert ComputeEscrowExpired(terms.bondExpiry);

        id = Messages.channelId(
            address(this),
            msg.sender,
            terms.provider,
            terms.requesterSigner,
            terms.providerSigner,
            terms.nonce
        );
        ChannelSlots storage slots = _channels[id];
        if (slots.word.status() != ChannelStatus.None) revert ComputeEscrowChannelExists(id);
        _checkBondOffer(terms, bondSignature);

        uint16 feeBps_ = feeBps();
        _debit(msg.sender, terms.deposit);
        if (terms.bond != 0) {
            _debit(terms.provider, terms.bond);
            slots.bond = terms.bond;
        }
        slots.word = packChannel(terms.deposit, 0, 0, feeBps_, ChannelStatus.Open);
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
        ChannelSlots storage slots = _channels[id];
        ChannelWord word = _liveWord(id, slots);
        if (amount == 0) revert ComputeEscrowZeroAmount();
        _debit(msg.sender, amount);
        uint96 deposit_ = word.deposit() + amount;
        slots.word = packChannel(deposit_, word.settled(), word.closeAt(), word.feeBps(), word.status());
        emit ToppedUp(id, msg.sender, amount, deposit_);
    }

    /// @inheritdoc IComputeEscrow
    function addBond(ChannelId id, uint96 amount) external whenNotPaused {
        ChannelSlots storage slots = _channels[id];
        _liveWord(id, slots);
        if (amount == 0) revert ComputeEscrowZeroAmount();
        _debit(msg.sender, amount);
        uint96 bond_ = slots.bond + amount;
        slots.bond = bond_;
        emit BondAdded(id, msg.sender, amount, bond_);
    }

    /// @inheritdoc IComputeEscrow
    function claim(
        Parties calldata parties,
        Voucher calldata voucher,
        bytes calldata signature
    ) external returns (uint96 paid) {
        ChannelId id = _checkVoucher(parties, voucher, signature);
        ChannelSlots storage slots = _channels[id];
        ChannelWord word = _liveWord(id, slots);
        uint96 fee;
        uint96 cumulative = voucher.cumulative;
        (paid, fee) = _due(word, cumulative);
        if (paid == 0) revert ComputeEscrowNothingToClaim(id, cumulative, word.settled());
        slots.word = word.paying(paid);
        _pay(parties.provider, paid, fee);
        emit Claimed(id, cumulative, paid, fee, voucher.jobs, voucher.jobsRoot);
    }

    /// @inheritdoc IComputeEscrow
    function claimMany(
        address provider,
        address providerSigner,
        BatchedVoucher[] calldata vouchers
    ) external returns (uint256 total) {
        uint256 fees;
        for (uint256 i = 0; i < vouchers.length; ++i) {
            (uint96 paid, uint96 fee) = _claimOfMany(provider, providerSigner, vouchers[i]);
            // No overflow: a sum of fewer than 2^64 amounts below 2^96.
            unchecked {
                total += paid;
                fees += fee;
            }
        }
        if (total != 0) _pay(provider, total, fees);
    }

    /// @inheritdoc IComputeEscrow
    function claimAndClose(
        Parties calldata parties,
        Voucher calldata voucher,
        bytes calldata signature
    ) external returns (uint96 paid) {
        if (msg.sender != parties.provider && msg.sender != parties.providerSigner)
            revert ComputeEscrowNotAllowed(msg.sender);
        ChannelId id = _checkVoucher(parties, voucher, signature);
        ChannelSlots storage slots = _channels[id];
        ChannelWord word = _liveWord(id, slots);
        uint96 fee;
        (paid, fee) = _due(word, voucher.cumulative);
        if (paid != 0) emit Claimed(id, voucher.cumulative, paid, fee, voucher.jobs, voucher.jobsRoot);
        _close(id, slots, word, parties, paid, fee);
    }

    /// @inheritdoc IComputeEscrow
    function startClose(Parties calldata parties) external {
        if (
            msg.sender != parties.requester &&
            msg.sender != parties.provider &&
            msg.sender != Messages.requesterSigner(parties.nonce) &&
            msg.sender != parties.providerSigner
        ) revert ComputeEscrowNotAllowed(msg.sender);
        ChannelId id = parties.channelId(address(this));
        ChannelSlots storage slots = _channels[id];
        ChannelWord word = slots.word;
        if (word.status() != ChannelStatus.Open) revert ComputeEscrowWrongStatus(id, word.status());
        uint40 closeAt = CLOSE_NOTICE.from();
        slots.word = packChannel(word.deposit(), word.settled(), closeAt, word.feeBps(), ChannelStatus.Closing);
        emit Closing(id, msg.sender, closeAt);
    }

    /// @inheritdoc IComputeEscrow
    function close(Parties calldata parties) external {
        ChannelId id = parties.channelId(address(this));
        ChannelSlots storage slots = _channels[id];
        ChannelWord word = slots.word;
        if (word.status() != ChannelStatus.Closing) revert ComputeEscrowWrongStatus(id, word.status());
        if (!word.closeAt().expired()) revert ComputeEscrowTooEarly(word.closeAt());
        _close(id, slots, word, parties, 0, 0);
    }

    /// @inheritdoc IComputeEscrow
    function closeMutual(
        Parties calldata parties,
        CloseMutual calldata agreed,
        bytes calldata requesterSignature,
        bytes calldata providerSignature
    ) external {
        ChannelId id = _named(agreed.channel, parties);
        ChannelSlots storage slots = _channels[id];
        ChannelWord word = _liveWord(id, slots);
        if (agreed.deadline.expired()) revert ComputeEscrowExpired(agreed.deadline);
        bytes32 digest = _hashTypedDataV4(agreed.hash());
        _checkSigner(Messages.requesterSigner(parties.nonce), digest, requesterSignature);
        _checkSigner(parties.providerSigner, digest, providerSignature);
        uint96 total = agreed.finalSettled;
        if (total < word.settled() || total > word.deposit())
            revert ComputeEscrowFinalOutOfRange(id, total, word.settled(), word.deposit());
        (uint96 paid, uint96 fee) = _due(word, total);
        if (paid != 0) emit Claimed(id, total, paid, fee, 0, 0);
        _close(id, slots, word, parties, paid, fee);
    }

    // ---------------------------------------------------------------------------------------------------- views

    /// @inheritdoc IComputeEscrow
    function channel(ChannelId id) external view returns (Channel memory) {
        ChannelSlots storage slots = _channels[id];
        ChannelWord word = slots.word;
        return
            Channel({
                deposit: word.deposit(),
                settled: word.settled(),
                closeAt: word.closeAt(),
                feeBps: word.feeBps(),
                status: word.status(),
                bond: slots.bond,
                bondFreeAt: slots.bondFreeAt
            });
    }

    /// @inheritdoc IComputeEscrow
    function channelIdOf(Parties calldata parties) external view returns (ChannelId) {
        return parties.channelId(address(this));
    }

    // ------------------------------------------------------------------------------------------ moves of a channel

    /// @dev What a channel still pays for `cumulative`, as far as the deposit reaches: zero when that is not above what
    /// was paid. Every payment by any path goes through here, so no path pays what another paid.
    function _due(ChannelWord word, uint96 cumulative) private pure returns (uint96 paid, uint96 fee) {
        uint96 before = word.settled();
        uint96 ceiling = word.deposit();
        uint96 target = cumulative < ceiling ? cumulative : ceiling;
        if (target <= before) return (0, 0);
        unchecked {
            paid = target - before; // target > before, just checked
        }
        fee = Fees.feeOnStep(before, target, word.feeBps());
    }

    /// @dev Moves one channel of a batch and leaves the payment to the caller. Zero for what cannot be paid now.
    function _claimOfMany(
        address provider,
        address providerSigner,
        BatchedVoucher calldata item
    ) private returns (uint96 paid, uint96 fee) {
        address signer = Messages.requesterSigner(item.nonce);
        ChannelId id = Messages.channelId(address(this), item.requester, provider, signer, providerSigner, item.nonce);
        (uint96 cumulative, uint64 jobs, bytes32 jobsRoot) = (item.cumulative, item.jobs, item.jobsRoot);
        bytes32 digest = _hashTypedDataV4(Messages.hashVoucher(id, cumulative, jobs, jobsRoot));
        address recovered = ECDSA.recover(digest, item.r, item.vs);
        if (recovered != signer) revert ComputeEscrowBadSigner(signer, recovered);
        ChannelSlots storage slots = _channels[id];
        ChannelWord word = slots.word;
        if (!word.isLive()) return (0, 0);
        (paid, fee) = _due(word, cumulative);
        if (paid == 0) return (0, 0);
        slots.word = word.paying(paid);
        emit Claimed(id, cumulative, paid, fee, jobs, jobsRoot);
    }

    /// @dev Pays the last step, gives back what is left, and leaves the tombstone: status `Closed`, `deposit` down to
    /// what was settled. `paid` and `fee` are what `_due` said of `word`.
    function _close(
        ChannelId id,
        ChannelSlots storage slots,
        ChannelWord word,
        Parties calldata parties,
        uint96 paid,
        uint96 fee
    ) private {
        uint96 settled = word.settled() + paid;
        uint96 rest = word.deposit() - settled;
        uint96 bond = slots.bond;
        slots.word = packChannel(settled, settled, 0, word.feeBps(), ChannelStatus.Closed);
        if (bond != 0) slots.bond = 0;
        if (rest != 0) _credit(parties.requester, rest);
        _pay(parties.provider, uint256(paid) + bond, fee);
        emit Closed(id, settled, rest, bond);
    }

    // ------------------------------------------------------------------------------------------------- checks

    function _liveWord(ChannelId id, ChannelSlots storage slots) private view returns (ChannelWord word) {
        word = slots.word;
        if (!word.isLive()) revert ComputeEscrowWrongStatus(id, word.status());
    }

    /// @dev Channel of `parties`, provided it is the one the message names.
    function _named(bytes32 name, Parties calldata parties) private view returns (ChannelId id) {
        id = parties.channelId(address(this));
        if (ChannelId.unwrap(id) != name) revert ComputeEscrowWrongParties(ChannelId.wrap(name), id);
    }

    /// @dev Channel of a voucher that its requester signed.
    function _checkVoucher(
        Parties calldata parties,
        Voucher calldata voucher,
        bytes calldata signature
    ) private view returns (ChannelId id) {
        id = _named(voucher.channel, parties);
        _checkSigner(Messages.requesterSigner(parties.nonce), _hashTypedDataV4(voucher.hash()), signature);
    }

    /// @dev Session keys sign with a key, never by ERC-1271: a wallet could take its word back after the service.
    function _checkSigner(address expected, bytes32 digest, bytes calldata signature) private pure {
        address recovered = ECDSA.recoverCalldata(digest, signature);
        if (recovered != expected) revert ComputeEscrowBadSigner(expected, recovered);
    }

    /// @dev The owner account signs with its key or, being a contract, by ERC-1271. The key is tried first: it spares
    /// most openings a look at the account's code.
    function _checkBondOffer(OpenTerms memory terms, bytes calldata signature) private view {
        bytes32 digest = _hashTypedDataV4(Messages.hashBondOffer(terms, msg.sender));
        (address recovered, ECDSA.RecoverError fault, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (fault == ECDSA.RecoverError.NoError && recovered == terms.provider) return;
        if (!SignatureChecker.isValidERC1271SignatureNowCalldata(terms.provider, digest, signature))
            revert ComputeEscrowBadBondSignature(terms.provider);
    }
}
