// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Deadlines} from "../libraries/Deadlines.sol";
import {CaseLimits} from "../libraries/CaseLimits.sol";
import {Messages} from "../libraries/Messages.sol";
import {BondWord, packBond, PAID_BY_CASE, PROVIDER_CASE, REQUESTER_CASE} from "../types/BondWord.sol";
import {CaseKind, CaseSlots, CaseState, CONTESTED_BY_KEY, DOUBLINGS, OPENED_BY_KEY} from "../types/Cases.sol";
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
        uint8 marks;
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
        CaseState state = c.state;
        if (state != allowed && state != alsoAllowed) revert ComputeEscrowWrongCaseState(id, state);
        return OpenCase(id, _named(agreement.channel, parties), c.kind, state, c.deadline, c.marks);
    }

    /// @dev Takes the case's bond from the caller, counts the case, and takes hold of amount and stake.
    function _hold(
        OpenCase memory opened,
        Parties calldata parties,
        Agreement calldata agreement,
        uint96 amount,
        uint40 deadline
    ) internal returns (uint96 bond, uint96 stake) {
        ChannelSlots storage slots = _channels[opened.channel];
        BondWord bonds = slots.bonds;
        uint8 step = _countedAs(opened.kind);
        uint8 before = bonds.casesOf(step);
        stake = agreement.stake < bonds.bond() ? agreement.stake : bonds.bond();
        // Two receipts end a case in the same call: nobody needs a deterrent.
        if (opened.kind != CaseKind.Equivocation) {
            if (before >= CaseLimits.MAX_OPEN_CASES) revert ComputeEscrowTooManyCases(opened.channel);
            if (amount == 0 && stake == 0) revert ComputeEscrowNothingAtStake(opened.id);
            opened.marks = before;
            bond = _post(opened, parties, agreement, OPENED_BY_KEY);
        }
        slots.bonds = packBond(
            bonds.bond() - stake,
            bonds.frozen() + amount,
            bonds.time(),
            bonds.cases() + step,
            bonds.flags()
        );
        CaseSlots storage c = _cases[opened.id];
        (c.amount, c.stake, c.deadline) = (amount, stake, deadline);
        (c.state, c.kind, c.marks) = (CaseState.Opened, opened.kind, opened.marks);
    }

    /// @dev Takes the case's bond from the caller, and marks whether that is a session key.
    function _post(
        OpenCase memory opened,
        Parties calldata parties,
        Agreement calldata agreement,
        uint8 keyMark
    ) internal returns (uint96 bond) {
        bond = _bondOf(opened, agreement);
        if (msg.sender != parties.provider && msg.sender != parties.requester) opened.marks |= keyMark;
        if (bond != 0) _debit(msg.sender, bond);
    }

    /// @dev What each side posts: each case that a side has open doubles what its next one costs.
    function _bondOf(OpenCase memory opened, Agreement calldata agreement) internal pure returns (uint96) {
        return SafeCast.toUint96(uint256(agreement.caseBond) << (opened.marks & DOUBLINGS));
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
        (uint96 amount, uint96 stake, uint96 verifierFee) = _take(opened, outcome);
        if (how != Ending.Verdict) verifierFee = 0;
        (uint96 paid, uint96 fee) = _letGo(opened, parties, agreement, outcome, amount, stake);
        uint96 compensation;
        uint96 slashed;
        if (outcome == CaseState.ProviderWrong) {
            compensation = stake / SLASH_PARTS;
            if (compensation > agreement.price) compensation = agreement.price;
            slashed = stake - compensation;
            if (compensation != 0) _credit(parties.requester, compensation);
            if (slashed != 0) _credit(_treasury, slashed);
        }
        if (outcome == CaseState.ProviderWrong) _fault(parties.provider);
        // Who pays when asked is not at fault.
        if (outcome == CaseState.ProviderRight && how != Ending.Conceded) _fault(parties.requester);
        uint256 toProvider = paid + _returnBonds(opened, parties, agreement, outcome, verifierFee);
        if (toProvider != 0) _payNet(parties.provider, toProvider, fee);
        if (verifierFee != 0) _credit(agreement.verifier, verifierFee);
        emit CaseEnded(opened.id, opened.channel, outcome, paid, fee, compensation, slashed, verifierFee);
    }

    /// @dev Lets go of a part of what an open case may pay out. A closed channel gives it back when the case ends.
    function _unfreeze(ChannelId id, uint96 amount) internal {
        BondWord bonds = _channels[id].bonds;
        _channels[id].bonds = packBond(
            bonds.bond(),
            bonds.frozen() - amount,
            bonds.time(),
            bonds.cases(),
            bonds.flags()
        );
    }

    /// @dev Who brings a case of this kind, and thus wins it when the other side is silent.
    function _byProvider(CaseKind kind) internal pure returns (bool) {
        return kind == CaseKind.NonPayment || kind == CaseKind.Delivered;
    }

    /// @dev Reads a case and leaves its tombstone. The later slots are only touched if they were ever written.
    function _take(
        OpenCase memory opened,
        CaseState outcome
    ) private returns (uint96 amount, uint96 stake, uint96 verifierFee) {
        CaseSlots storage c = _cases[opened.id];
        (amount, stake) = (c.amount, c.stake);
        (c.amount, c.stake, c.deadline) = (0, 0, 0);
        (c.state, c.kind, c.marks) = (outcome, opened.kind, 0);
        if (opened.state != CaseState.Opened) c.evidence = 0;
        if (opened.state == CaseState.Contested) {
            verifierFee = c.verifierFee;
            if (verifierFee != 0) c.verifierFee = 0;
        }
    }

    /// @dev Takes the provider's part of the amount out of the channel, gives the stake back to the bond unless it is lost, and what a
    /// closed channel then holds for nobody to the requester.
    function _letGo(
        OpenCase memory opened,
        Parties calldata parties,
        Agreement calldata agreement,
        CaseState outcome,
        uint96 amount,
        uint96 stake
    ) private returns (uint96 paid, uint96 fee) {
        ChannelSlots storage slots = _channels[opened.channel];
        ChannelWord word = slots.word;
        BondWord bonds = slots.bonds;
        (paid, fee) = _due(word, _payableUpTo(word, agreement, outcome, amount));
        bonds = packBond(
            bonds.bond() + (outcome == CaseState.ProviderWrong ? 0 : stake),
            bonds.frozen() - amount,
            bonds.time(),
            bonds.cases() - _countedAs(opened.kind),
            bonds.flags() | (paid == 0 ? 0 : PAID_BY_CASE)
        );
        slots.bonds = bonds;
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
    /// provider's owner account gets is left for the caller to credit along with its pay.
    function _returnBonds(
        OpenCase memory opened,
        Parties calldata parties,
        Agreement calldata agreement,
        CaseState outcome,
        uint96 verifierFee
    ) private returns (uint256 toProvider) {
        uint96 bond = _bondOf(opened, agreement);
        if (bond == 0 || opened.kind == CaseKind.Equivocation) return 0;
        bool contested = opened.state == CaseState.Contested;
        bool opensProvider = _byProvider(opened.kind);
        // A job paid before may have been paid when the case was there already: nobody can tell whose fault that is.
        bool split = outcome == CaseState.Undecided || outcome == CaseState.Paid;
        bool providerWins = outcome == CaseState.ProviderRight;
        bool openerWins = providerWins == opensProvider;
        if (split || openerWins)
            toProvider += _giveBond(parties, opensProvider, opened.marks & OPENED_BY_KEY != 0, bond);
        if (contested && (split || !openerWins))
            toProvider += _giveBond(parties, !opensProvider, opened.marks & CONTESTED_BY_KEY != 0, bond);
        if (!split && (contested || !openerWins))
            toProvider += _giveBond(parties, providerWins, false, bond - verifierFee);
    }

    /// @dev Credits an account of one side, unless it is the provider's owner account: then returns the amount.
    function _giveBond(Parties calldata parties, bool toProvider, bool toKey, uint96 amount) internal returns (uint96) {
        if (toProvider && !toKey) return amount;
        address side =
            toProvider
                ? parties.providerSigner
                : toKey
                    ? Messages.requesterSigner(parties.nonce)
                    : parties.requester;
        if (amount != 0) _credit(side, amount);
        return 0;
    }

    /// @dev A case is counted against the side that opened it, also after a no-show was answered.
    function _countedAs(CaseKind kind) private pure returns (uint8) {
        return kind == CaseKind.NonPayment ? PROVIDER_CASE : REQUESTER_CASE;
    }
}
