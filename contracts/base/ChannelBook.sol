// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrowEvents} from "../interfaces/IComputeEscrowEvents.sol";
import {Deadlines} from "../libraries/Deadlines.sol";
import {Fees} from "../libraries/Fees.sol";
import {Messages} from "../libraries/Messages.sol";
import {BondWord, packBond} from "../types/BondWord.sol";
import {ChannelId} from "../types/ChannelId.sol";
import {ChannelSlots} from "../types/ChannelSlots.sol";
import {ChannelWord, packChannel} from "../types/ChannelWord.sol";
import {ChannelStatus, Parties} from "../types/Channels.sol";
import {Voucher} from "../types/SignedMessages.sol";
import {Accounts} from "./Accounts.sol";
import {SigningDomain} from "./SigningDomain.sol";

/// @title What every call on a channel is made of
/// @notice The channels, the one way money is paid out of them, the one way they end, and who signed what.
abstract contract ChannelBook is Accounts, SigningDomain, IComputeEscrowEvents {
    using Deadlines for uint40;
    using Messages for *;

    // ------------------------------------------------------------------------------------------ moves of a channel

    /// @dev What a channel still pays for `cumulative`, as far as the deposit reaches: zero when that is not above what
    /// was paid. Every payment by any path goes through here, so no path pays what another paid.
    function _due(ChannelWord word, uint96 cumulative) internal pure returns (uint96 paid, uint96 fee) {
        uint96 before = word.settled();
        uint96 ceiling = word.deposit();
        uint96 target = cumulative < ceiling ? cumulative : ceiling;
        if (target <= before) return (0, 0);
        unchecked {
            paid = target - before; // target > before, just checked
        }
        fee = Fees.feeOnStep(before, target, word.feeBps());
    }

    /// @dev Pays the last step, gives back what nothing holds, and leaves the tombstone: status `Closed`, `deposit` down
    /// to what was settled and what open cases or sponsors have still in it. `paid` and `fee` are what `_due` said of
    /// `word`. The hold of the bond starts here, unless `bothAgreed`.
    function _close(
        ChannelId id,
        ChannelSlots storage slots,
        ChannelWord word,
        Parties calldata parties,
        uint96 paid,
        uint96 fee,
        bool bothAgreed
    ) internal {
        BondWord bonds = slots.bonds;
        uint96 settled;
        uint96 rest;
        unchecked {
            settled = word.settled() + paid; // at most the deposit, as `_due` saw to
            rest = word.deposit() - settled;
        }
        uint96 bondOut = bonds.bond();
        uint96 kept;
        if (bonds.isPlain()) {
            if (bondOut != 0) slots.bonds = BondWord.wrap(0);
        } else {
            kept = _kept(bonds, rest);
            uint40 freeAt;
            if (!bothAgreed && bonds.time() != 0) (bondOut, freeAt) = (0, bonds.time().from());
            slots.bonds = packBond(bonds.bond() - bondOut, bonds.frozen(), freeAt, bonds.cases(), bonds.flags());
            if (bonds.isSponsored()) _shares[id].requester = word.deposit() - _shares[id].sponsors;
        }
        unchecked {
            slots.word = packChannel(settled + kept, settled, 0, word.feeBps(), ChannelStatus.Closed);
            rest -= kept; // kept is a part of it
        }
        if (rest != 0) _credit(parties.requester, rest);
        _payNet(parties.provider, uint256(paid) + bondOut, fee);
        emit Closed(id, settled, rest, bondOut);
    }

    /// @dev How much of `rest`, the part of a closed channel's deposit that was not paid, stays in it: what open cases may
    /// still pay out, or all while sponsors have a share.
    function _kept(BondWord bonds, uint96 rest) internal pure returns (uint96) {
        if (bonds.isSponsored()) return rest;
        return rest < bonds.frozen() ? rest : bonds.frozen();
    }

    // ------------------------------------------------------------------------------------------------- checks

    function _liveWord(ChannelId id, ChannelSlots storage slots) internal view returns (ChannelWord word) {
        word = slots.word;
        if (!word.isLive()) revert ComputeEscrowWrongStatus(id, word.status());
    }

    /// @dev Channel of `parties`, provided it is the one the message names.
    function _named(bytes32 name, Parties calldata parties) internal view returns (ChannelId id) {
        id = parties.channelId(address(this));
        if (ChannelId.unwrap(id) != name) revert ComputeEscrowWrongParties(ChannelId.wrap(name), id);
    }

    /// @dev Channel of a voucher that its requester signed.
    function _checkVoucher(
        Parties calldata parties,
        Voucher calldata voucher,
        bytes calldata signature
    ) internal view returns (ChannelId id) {
        id = _named(voucher.channel, parties);
        _checkSigner(Messages.requesterSigner(parties.nonce), _hashTypedDataV4(voucher.hash()), signature);
    }
}
