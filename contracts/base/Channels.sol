// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IComputeEscrow} from "../interfaces/IComputeEscrow.sol";
import {Deadlines} from "../libraries/Deadlines.sol";
import {Messages} from "../libraries/Messages.sol";
import {BondWord, packBond, PROVIDER_CASE, REQUESTER_CASE} from "../types/BondWord.sol";
import {ChannelId} from "../types/ChannelId.sol";
import {ChannelSlots} from "../types/ChannelSlots.sol";
import {ChannelWord, packChannel} from "../types/ChannelWord.sol";
import {BatchedVoucher, Channel, ChannelStatus, OpenTerms, Parties} from "../types/Channels.sol";
import {CloseMutual, Voucher} from "../types/SignedMessages.sol";
import {ChannelBook} from "./ChannelBook.sol";
import {FeePolicy} from "./FeePolicy.sol";

/// @title The life of a channel
/// @notice Open, fund, pay by voucher, close.
abstract contract Channels is ChannelBook, FeePolicy {
    using Deadlines for uint40;
    using Messages for *;

    /// @inheritdoc IComputeEscrow
    uint40 public constant CLOSE_NOTICE = 24 hours;
    /// @inheritdoc IComputeEscrow
    uint40 public constant MAX_BOND_HOLD = 90 days;

    /// @inheritdoc IComputeEscrow
    function createChannel(
        OpenTerms memory terms,
        bytes calldata bondSignature
    ) external whenNotPaused returns (ChannelId id) {
        if (terms.deposit == 0) revert ComputeEscrowZeroAmount();
        if (Messages.requesterSigner(terms.nonce) == address(0) || terms.providerSigner == address(0))
            revert ComputeEscrowInvalidAddress();
        if (terms.bondHold > MAX_BOND_HOLD) revert ComputeEscrowHoldTooLong(terms.bondHold, MAX_BOND_HOLD);
        if (terms.bondExpiry.expired()) revert ComputeEscrowExpired(terms.bondExpiry);

        id = Messages.channelId(address(this), msg.sender, terms.provider, terms.providerSigner, terms.nonce);
        ChannelSlots storage slots = _channels[id];
        if (slots.word.status() != ChannelStatus.None) revert ComputeEscrowChannelExists(id);
        _checkBondOffer(terms, bondSignature);

        uint16 feeBps_ = feeBps();
        _debit(msg.sender, terms.deposit);
        if (terms.bond != 0) _debit(terms.provider, terms.bond);
        if (terms.bond != 0 || terms.bondHold != 0) slots.bonds = packBond(terms.bond, 0, terms.bondHold, 0, 0);
        slots.word = packChannel(terms.deposit, 0, 0, feeBps_, ChannelStatus.Open);
        emit Opened(
            id,
            msg.sender,
            terms.provider,
            terms.providerSigner,
            terms.nonce,
            terms.deposit,
            terms.bond,
            terms.bondHold,
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
        uint96 bond_ = slots.bonds.bond() + amount;
        slots.bonds = slots.bonds.withBond(bond_);
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
        _payNet(parties.provider, paid, fee);
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
        if (total != 0) _payNet(provider, total, fees);
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
        _close(id, slots, word, parties, paid, fee, false);
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
        _close(id, slots, word, parties, 0, 0, false);
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
        _close(id, slots, word, parties, paid, fee, true);
    }

    /// @inheritdoc IComputeEscrow
    function releaseBond(Parties calldata parties) external returns (uint96 amount) {
        ChannelId id = parties.channelId(address(this));
        ChannelSlots storage slots = _channels[id];
        ChannelStatus status = slots.word.status();
        if (status != ChannelStatus.Closed) revert ComputeEscrowWrongStatus(id, status);
        BondWord bonds = slots.bonds;
        if (!bonds.time().expired()) revert ComputeEscrowTooEarly(bonds.time());
        amount = bonds.bond();
        if (amount == 0) revert ComputeEscrowZeroAmount();
        slots.bonds = bonds.withBond(0);
        _credit(parties.provider, amount);
        emit BondReleased(id, amount);
    }

    /// @inheritdoc IComputeEscrow
    function channel(ChannelId id) external view returns (Channel memory) {
        ChannelWord word = _channels[id].word;
        BondWord bonds = _channels[id].bonds;
        bool closed = word.status() == ChannelStatus.Closed;
        return
            Channel({
                deposit: word.deposit(),
                settled: word.settled(),
                closeAt: word.closeAt(),
                feeBps: word.feeBps(),
                status: word.status(),
                bond: bonds.bond(),
                bondHold: closed ? 0 : bonds.time(),
                bondFreeAt: closed ? bonds.time() : 0,
                frozen: bonds.frozen(),
                requesterCases: bonds.casesOf(REQUESTER_CASE),
                providerCases: bonds.casesOf(PROVIDER_CASE),
                sponsored: _shares[id].sponsors
            });
    }

    /// @inheritdoc IComputeEscrow
    function channelIdOf(Parties calldata parties) external view returns (ChannelId) {
        return parties.channelId(address(this));
    }

    /// @dev Moves one channel of a batch and leaves the payment to the caller. Zero for what cannot be paid now.
    function _claimOfMany(
        address provider,
        address providerSigner,
        BatchedVoucher calldata item
    ) private returns (uint96 paid, uint96 fee) {
        address signer = Messages.requesterSigner(item.nonce);
        ChannelId id = Messages.channelId(address(this), item.requester, provider, providerSigner, item.nonce);
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
