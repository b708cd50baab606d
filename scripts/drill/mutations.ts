import type { Mutation } from './mutation.ts'

/** Bugs of the ledger: what is there, who owns it, and which fees were taken. */
const LEDGER: readonly Mutation[] = [
  {
    what: 'a fee is rounded down, for the claimant',
    file: 'libraries/Fees.sol',
    find: '(uint256(settled) * feeBps + BASIS_POINTS - 1) / BASIS_POINTS',
    replace: '(uint256(settled) * feeBps) / BASIS_POINTS',
  },
  {
    what: 'a fee is taken from the total at every claim, not from its step',
    file: 'libraries/Fees.sol',
    find: 'uint96(feeUp(settledAfter, feeBps) - feeUp(settledBefore, feeBps))',
    replace: 'uint96(feeUp(settledAfter, feeBps) + 0 * settledBefore)',
  },
  {
    what: 'a withdrawal leaves liabilities as they were',
    file: 'base/Ledger.sol',
    find: '        _liabilities -= amount;\n',
    replace: '',
  },
  {
    what: 'a deposit is not counted in liabilities',
    file: 'base/Ledger.sol',
    find: '        _liabilities += amount;\n',
    replace: '',
  },
  {
    what: 'a withdrawal sends before it debits, and debits nothing',
    file: 'base/Ledger.sol',
    find: '        _debit(msg.sender, amount);\n        _liabilities',
    replace: '        _liabilities',
  },
  {
    what: 'a deposit credits what was asked for, whatever came',
    file: 'base/Ledger.sol',
    find: 'if (received != amount) revert ComputeEscrowTokenDelta(amount, received);',
    replace: 'if (received > amount) revert ComputeEscrowTokenDelta(amount, received);',
  },
  {
    what: 'collected fees are not recorded, and are collected again',
    file: 'base/Ledger.sol',
    find: '            _feesCollected[payers[i]] = feesPaid;\n',
    replace: '',
  },
  {
    what: 'a debit is not checked against the balance',
    file: 'base/Accounts.sol',
    find: 'if (word.free() < amount) revert',
    replace: 'if (amount == 0) revert',
  },
  {
    what: 'a payment is credited with its fee still in it',
    file: 'base/Accounts.sol',
    find: '_pay(account_, paid - fee, fee)',
    replace: '_pay(account_, paid, fee)',
  },
]

/** Bugs of channels: what a deposit pays, and where the rest goes. */
const CHANNELS: readonly Mutation[] = [
  {
    what: 'a claim does not move what was settled',
    file: 'base/Channels.sol',
    find: '        slots.word = word.paying(paid);\n        _payNet(parties.provider, paid, fee);',
    replace: '        _payNet(parties.provider, paid, fee);',
  },
  {
    what: 'a batch pays the same voucher again',
    file: 'base/Channels.sol',
    find: '        slots.word = word.paying(paid);\n        emit Claimed(id, cumulative, paid, fee, jobs, jobsRoot);',
    replace: '        emit Claimed(id, cumulative, paid, fee, jobs, jobsRoot);',
  },
  {
    what: 'a top-up is taken and not added to the deposit',
    file: 'base/Channels.sol',
    find: 'uint96 deposit_ = word.deposit() + amount;',
    replace: 'uint96 deposit_ = word.deposit();',
  },
  {
    what: 'a top-up is added to the deposit and not taken',
    file: 'base/Channels.sol',
    find: '        _debit(msg.sender, amount);\n        uint96 deposit_',
    replace: '        uint96 deposit_',
  },
  {
    what: 'a bond is counted and not taken from the provider',
    file: 'base/Channels.sol',
    find: '        if (terms.bond != 0) _debit(terms.provider, terms.bond);\n',
    replace: '',
  },
  {
    what: 'a closed channel can be opened again',
    file: 'base/Channels.sol',
    find: 'if (slots.word.status() != ChannelStatus.None) revert ComputeEscrowChannelExists(id);',
    replace: 'if (slots.word.isLive()) revert ComputeEscrowChannelExists(id);',
  },
  {
    what: 'a released bond can be released again',
    file: 'base/Channels.sol',
    find: '        slots.bonds = bonds.withBond(0);\n',
    replace: '',
  },
  {
    what: 'a deadline is over at its last second already',
    file: 'libraries/Deadlines.sol',
    find: 'block.timestamp > deadline',
    replace: 'block.timestamp >= deadline',
  },
  {
    what: 'closing gives the bond back and keeps it too',
    file: 'base/ChannelBook.sol',
    find: 'if (bondOut != 0) slots.bonds = BondWord.wrap(0);',
    replace: 'if (bondOut == 0) slots.bonds = BondWord.wrap(0);',
  },
  {
    what: 'a voucher above the deposit is paid in full',
    file: 'base/ChannelBook.sol',
    find: 'uint96 target = cumulative < ceiling ? cumulative : ceiling;',
    replace: 'uint96 target = cumulative + 0 * ceiling;',
  },
  {
    what: 'closing returns the whole rest while cases hold some of it',
    file: 'base/ChannelBook.sol',
    find: 'return rest < bonds.frozen() ? rest : bonds.frozen();',
    replace: 'return rest < bonds.frozen() ? 0 : 0;',
  },
]

/** Bugs of cases and sponsors: what is held while two sides differ, and who gets it. */
const CASES: readonly Mutation[] = [
  {
    what: 'a case holds a stake that stays in the bond as well',
    file: 'base/Docket.sol',
    find: 'bonds.bond() - stake,',
    replace: 'bonds.bond(),',
  },
  {
    what: 'the bonds of a case are free',
    file: 'base/Docket.sol',
    find: '        if (bond != 0) _debit(msg.sender, bond);\n',
    replace: '',
  },
  {
    what: 'an ended case keeps its stake on the books',
    file: 'base/Docket.sol',
    find: 'bonds.bond() + (outcome == CaseState.ProviderWrong ? 0 : stake),',
    replace: 'bonds.bond() + stake,',
  },
  {
    what: 'an ended case leaves its amount frozen',
    file: 'base/Docket.sol',
    find: 'bonds.frozen() - amount,\n            bonds.time(),\n            bonds.cases() - ',
    replace: 'bonds.frozen(),\n            bonds.time(),\n            bonds.cases() - ',
  },
  {
    what: 'an ended case is still counted as open',
    file: 'base/Docket.sol',
    find: 'bonds.cases() - _countedAs(opened.kind),',
    replace: 'bonds.cases(),',
  },
  {
    what: 'what a case pays is not counted as settled',
    file: 'base/Docket.sol',
    find: 'uint96 settled = word.settled() + paid;',
    replace: 'uint96 settled = word.settled() + 0 * paid;',
  },
  {
    what: 'a lost stake is compensated beyond the price of the job',
    file: 'base/Docket.sol',
    find: '            if (compensation > agreement.price) compensation = agreement.price;\n',
    replace: '',
  },
  {
    what: 'the treasury gets the whole stake, beside the compensation',
    file: 'base/Docket.sol',
    find: 'slashed = stake - compensation;',
    replace: 'slashed = stake;',
  },
  {
    what: 'the bond of the loser goes to nobody',
    file: 'base/Docket.sol',
    find: 'if (!split && (contested || !openerWins))',
    replace: 'if (!split && (contested && !openerWins))',
  },
  {
    what: 'a verifier is paid and its fee not taken from the bond of the loser',
    file: 'base/Docket.sol',
    find: '_giveBond(parties, providerWins, false, bond - verifierFee)',
    replace: '_giveBond(parties, providerWins, false, bond)',
  },
  {
    what: 'a split pays the opener alone its bond back',
    file: 'base/Docket.sol',
    find: 'if (contested && (split || !openerWins))',
    replace: 'if (contested && !openerWins)',
  },
  {
    what: 'an undecided case pays the whole amount',
    file: 'base/Docket.sol',
    find: 'share = (amount * percent) / PERCENT;',
    replace: 'share = percent == 0 ? 0 : amount;',
  },
  {
    what: 'a case may be opened twice for one agreement',
    file: 'base/Cases.sol',
    find: 'if (_cases[caseId].state != CaseState.None) revert',
    replace: 'if (_isOpen(_cases[caseId].state)) revert',
  },
  {
    what: 'a case can be timed out before its time',
    file: 'base/Cases.sol',
    find: 'if (!opened.deadline.expired()) revert ComputeEscrowTooEarly(opened.deadline);\n        if (opened.state == CaseState.PaidShown)',
    replace: 'if (opened.state == CaseState.PaidShown)',
  },
  {
    what: 'sponsoring is not taken from the sponsor',
    file: 'base/Sponsors.sol',
    find: '        _debit(msg.sender, amount);\n',
    replace: '',
  },
  {
    what: 'a sponsor is refunded again',
    file: 'base/Sponsors.sol',
    find: '        delete _sponsorships[id][payer];\n',
    replace: '',
  },
  {
    what: 'a refund stays in the channel as well',
    file: 'base/Sponsors.sol',
    find: 'packChannel(word.deposit() - amount, word.settled(), 0,',
    replace: 'packChannel(word.deposit(), word.settled(), 0,',
  },
]

/** Every bug that the drill plants. Each changes who owns what, or when it can be had. */
export const MUTATIONS: readonly Mutation[] = [...LEDGER, ...CHANNELS, ...CASES]
