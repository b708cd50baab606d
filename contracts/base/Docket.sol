// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Deadlines} from "../libraries/Deadlines.sol";
import {CaseLimits} from "../libraries/CaseLimits.sol";
import {Messages} from "../libraries/Messages.sol";
import {BondWord, packBond, PROVIDER_CASE, REQUESTER_CASE} from "../types/BondWord.sol";
import {CaseKind, CaseSlots, CaseState} from "../types/Cases.sol";
import {ChannelId} from "../types/ChannelId.sol";
import {ChannelSlots} from "../types/ChannelSlots.sol";
import {ChannelWord, packChannel} from "../types/ChannelWord.sol";
import {ChannelStatus, Parties} from "../types/Channels.sol";
import {Agreement} from "../types/SignedMessages.sol";
import {ChannelBook} from "./ChannelBook.sol";

/// @title What every case is made of
/// @notice How a case takes hold of money, and the one way it lets go of it.
/// @dev A case holds three things: `amount` of the channel's deposit, which stays in the channel and is counted in its
/// `frozen`; `stake`, taken out of the channel's bond; and `bond` of each side, taken out of free balances.
abstract contract Docket is ChannelBook {
    using Deadlines for uint40;
    using Messages for *;

    /// @dev A case that can change, with all that ending it needs.
    struct OpenCase {
        bytes32 id;
        ChannelId channel;
        CaseKind kind;
        CaseState state;
        uint40 deadline;
    }

    /// @dev What ends a case.
    enum Ending {
        Silence,
        Conceded,
        Proof,
        Verdict
    }

    /// @dev Share of a stake that is never given to the requester, in one part of this many: who loses on purpose loses half.
    uint96 private constant SLASH_PARTS = 2;
    /// @dev `onUndecided` is in percent.
    uint256 private constant PERCENT = 100;

    /// @dev The case of `agreement`, which must be in one of two states. That it has a case proves that both signed it.
    function _caseIn(
        Parties calldata parties,
        Agreement calldata agreement,
        CaseState allowed,
        CaseState alsoAllowed
    ) internal view returns (OpenCase memory found) {
        bytes32 id = agreement.hash();
        CaseSlots storage c = _cases[id];
        (CaseState state, CaseKind kind, uint40 deadline) = (c.state, c.kind, c.deadline);
        if (state != allowed && state != alsoAllowed) revert ComputeEscrowWrongCaseState(id, state);
        return OpenCase(id, _named(agreement.channel, parties), kind, state, deadline);
    }

    /// @dev Takes the case's bond from `payer`, counts the case, and takes hold of amount and stake.
    function _hold(
        OpenCase memory opened,
        Agreement calldata agreement,
        address payer,
        uint96 amount,
        uint40 deadline
    ) internal returns (uint96 bond, uint96 stake) {
        ChannelSlots storage slots = _channels[opened.channel];
        BondWord bonds = slots.bonds;
        uint8 step = _countedAs(opened.kind);
        uint8 before = bonds.casesOf(step);
        bool proven = opened.kind == CaseKind.Equivocation; // ends in the same call: nobody needs a deterrent
        if (before >= CaseLimits.MAX_OPEN_CASES && !proven) revert ComputeEscrowTooManyCases(opened.channel);
        // Each case that a side has open doubles what its next one costs.
        uint256 doubled = proven ? 0 : uint256(agreement.caseBond) << before;
        if (doubled > type(uint96).max) revert ComputeEscrowInsufficientFree(payer, 0, doubled);
        bond = uint96(doubled);
        stake = agreement.stake < bonds.bond() ? agreement.stake : bonds.bond();
        if (amount == 0 && stake == 0 && !proven) revert ComputeEscrowNothingAtStake(opened.id);
        slots.bonds = packBond(
            bonds.bond() - stake,
            bonds.frozen() + amount,
            bonds.time(),
            bonds.cases() + step,
            bonds.isSponsored()
        );
        CaseSlots storage c = _cases[opened.id];
        (c.opener, c.bond) = (payer, bond);
        (c.amount, c.stake, c.deadline) = (amount, stake, deadline);
        (c.state, c.kind) = (CaseState.Opened, opened.kind);
        if (bond != 0) _debit(payer, bond);
    }

    /// @dev Ends a case: pays what its outcome says out of what it holds, lets go of the rest, and leaves the tombstone.
    /// `outcome` is a final state, `how` what brought it about.
    function _end(
        OpenCase memory opened,
        Parties calldata parties,
        Agreement calldata agreement,
        CaseState outcome,
        Ending how
    ) internal {
        CaseSlots memory c = _take(opened, outcome);
        (uint96 paid, uint96 fee) = _letGo(opened, parties, agreement, outcome, c);
        uint96 compensation;
        if (outcome == CaseState.ProviderWrong) {
            compensation = c.stake / SLASH_PARTS;
            if (compensation > agreement.price) compensation = agreement.price;
            if (compensation != 0) _credit(parties.requester, compensation);
            if (c.stake != compensation) _credit(_treasury, c.stake - compensation);
        }
        if (outcome == CaseState.ProviderWrong || outcome == CaseState.Paid) _fault(parties.provider);
        // Who pays when asked is not at fault.
        if (outcome == CaseState.ProviderRight && how != Ending.Conceded) _fault(parties.requester);
        uint96 verifierFee = how == Ending.Verdict ? c.verifierFee : 0;
        uint256 toProvider = paid + _returnBonds(opened.kind, parties, c, outcome, verifierFee);
        if (toProvider != 0) _payNet(parties.provider, toProvider, fee);
        if (verifierFee != 0) _credit(agreement.verifier, verifierFee);
        emit CaseEnded(
            opened.id,
            opened.channel,
            outcome,
            paid,
            fee,
            compensation,
            outcome == CaseState.ProviderWrong ? c.stake - compensation : 0,
            verifierFee
        );
    }

    /// @dev Lets go of a part of what an open case may pay out. A closed channel gives it back when the case ends.
    function _unfreeze(ChannelId id, uint96 amount) internal {
        BondWord bonds = _channels[id].bonds;
        _channels[id].bonds = packBond(
            bonds.bond(),
            bonds.frozen() - amount,
            bonds.time(),
            bonds.cases(),
            bonds.isSponsored()
        );
    }

    /// @dev Who brings a case of this kind, and thus wins it when the other side is silent.
    function _byProvider(CaseKind kind) internal pure returns (bool) {
        return kind == CaseKind.NonPayment || kind == CaseKind.Delivered;
    }

    /// @dev Reads a case and leaves its tombstone. The later slots are only touched if they were ever written.
    function _take(OpenCase memory opened, CaseState outcome) private returns (CaseSlots memory taken) {
        CaseSlots storage c = _cases[opened.id];
        (taken.opener, taken.bond, taken.amount, taken.stake) = (c.opener, c.bond, c.amount, c.stake);
        (c.opener, c.bond) = (address(0), 0);
        (c.amount, c.stake, c.deadline) = (0, 0, 0);
        (c.state, c.kind) = (outcome, opened.kind);
        if (opened.state == CaseState.Contested) {
            (taken.respondent, taken.verifierFee) = (c.respondent, c.verifierFee);
            (c.respondent, c.verifierFee) = (address(0), 0);
        }
        if (opened.state != CaseState.Opened) c.evidence = 0;
    }

    /// @dev Takes the provider's part of the amount out of the channel, gives the stake back to the bond unless it is lost, and what a
    /// closed channel then holds for nobody to the requester.
    function _letGo(
        OpenCase memory opened,
        Parties calldata parties,
        Agreement calldata agreement,
        CaseState outcome,
        CaseSlots memory c
    ) private returns (uint96 paid, uint96 fee) {
        ChannelSlots storage slots = _channels[opened.channel];
        ChannelWord word = slots.word;
        BondWord bonds = slots.bonds;
        bonds = packBond(
            bonds.bond() + (outcome == CaseState.ProviderWrong ? 0 : c.stake),
            bonds.frozen() - c.amount,
            bonds.time(),
            bonds.cases() - _countedAs(opened.kind),
            bonds.isSponsored()
        );
        slots.bonds = bonds;
        (paid, fee) = _due(word, _payableUpTo(word, agreement, outcome, c.amount));
        uint96 settled = word.settled() + paid;
        uint96 deposit_ = word.deposit();
        if (word.status() == ChannelStatus.Closed) {
            uint96 rest = deposit_ - settled;
            uint96 kept = _kept(bonds, rest);
            if (rest != kept) _credit(parties.requester, rest - kept);
            deposit_ = settled + kept;
        }
        slots.word = packChannel(deposit_, settled, word.closeAt(), word.feeBps(), word.status());
    }

    /// @dev The total that an outcome entitles the provider to: never above what both signed was owed after this job.
    function _payableUpTo(
        ChannelWord word,
        Agreement calldata agreement,
        CaseState outcome,
        uint96 amount
    ) private pure returns (uint96) {
        uint256 share;
        if (outcome == CaseState.ProviderRight) share = amount;
        if (outcome == CaseState.Undecided) {
            uint256 percent = agreement.onUndecided < PERCENT ? agreement.onUndecided : PERCENT;
            share = (amount * percent) / PERCENT;
        }
        uint256 total = word.settled() + share;
        return total < agreement.owedAfter ? uint96(total) : agreement.owedAfter;
    }

    /// @dev Gives each poster its bond; the loser's goes to the winning side's owner, less the verifier's fee. What the
    /// provider's owner account gets as the opener is left for the caller to credit along with its pay.
    function _returnBonds(
        CaseKind kind,
        Parties calldata parties,
        CaseSlots memory c,
        CaseState outcome,
        uint96 verifierFee
    ) private returns (uint256 toProvider) {
        if (c.bond == 0) return 0;
        bool contested = c.respondent != address(0);
        bool providerWins = outcome == CaseState.ProviderRight;
        bool openerWins = providerWins == _byProvider(kind);
        if (outcome == CaseState.Undecided || openerWins) {
            if (c.opener == parties.provider) toProvider = c.bond;
            else _credit(c.opener, c.bond);
        }
        if (contested && (outcome == CaseState.Undecided || !openerWins)) _credit(c.respondent, c.bond);
        if (outcome == CaseState.Undecided || (openerWins && !contested)) return toProvider;
        address winner = providerWins ? parties.provider : parties.requester;
        if (c.bond != verifierFee) _credit(winner, c.bond - verifierFee);
    }

    /// @dev A case is counted against the side that opened it, also after a no-show was answered.
    function _countedAs(CaseKind kind) private pure returns (uint8) {
        return kind == CaseKind.NonPayment ? PROVIDER_CASE : REQUESTER_CASE;
    }
}
