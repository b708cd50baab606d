// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrowErrors} from "../../contracts/interfaces/IComputeEscrowErrors.sol";
import {Fees} from "../../contracts/libraries/Fees.sol";
import {ChannelId} from "../../contracts/types/ChannelId.sol";
import {ChannelWord, packChannel} from "../../contracts/types/ChannelWord.sol";
import {BatchedVoucher, ChannelStatus} from "../../contracts/types/Channels.sol";
import {Voucher} from "../../contracts/types/SignedMessages.sol";
import {EscrowFixture} from "./support/EscrowFixture.sol";

/// @title How much is paid, to whom, for any amounts and any order
contract PaymentsTest is EscrowFixture {
    function setUp() external {
        deployEscrow();
    }

    function testFuzz_claim_paysTheRiseAndSplitsItIntoPayoutAndFee(
        uint96 deposit,
        uint96 first,
        uint96 second
    ) external {
        deposit = within(deposit, 1, PURSE);
        ChannelId id = openChannel(1, deposit, 0);
        uint96 paid = pay(id, first);
        assertEq(paid, least(first, deposit), "first claim");
        paid += pay(id, second);
        assertEq(paid, least(first > second ? first : second, deposit), "both claims");
        assertEq(freeOf(provider) + escrow.uncollectedFees(provider), uint256(PURSE) + paid, "payout + fee != paid");
        assertEq(escrow.uncollectedFees(provider), Fees.feeUp(paid, FEE_BPS), "fee");
        assertEq(escrow.channel(id).settled, paid, "settled");
    }

    function testFuzz_claimMany_isTheSameAsClaimsOneByOne(uint96[4] memory totals, uint8 order) external {
        ChannelId id = openChannel(1, 1e18, 0);
        ChannelId twin = openChannel(2, 1e18, 0);
        BatchedVoucher[] memory batch = new BatchedVoucher[](4);
        uint96 oneByOne;
        for (uint256 i = 0; i < 4; ++i) {
            totals[i] = totals[i] % 2e18;
            oneByOne += pay(id, totals[i]);
            batch[(i + order) % 4] = batched(2, voucherOf(twin, totals[i]));
        }
        uint256 before = freeOf(provider);
        uint256 inBatch = escrow.claimMany(provider, providerSigner, batch);
        assertEq(inBatch, oneByOne, "a batch pays another amount");
        assertEq(freeOf(provider) - before, inBatch - Fees.feeUp(uint96(inBatch), FEE_BPS), "a batch credits another");
        assertEq(escrow.channel(twin).settled, escrow.channel(id).settled, "a batch settles another amount");
    }

    function test_claimMany_passesOverWhatSomebodyClaimedOrClosedFirst() external {
        ChannelId a = openChannel(1, 1e18, 0);
        ChannelId b = openChannel(2, 1e18, 0);
        ChannelId c = openChannel(3, 1e18, 0);
        claim(1, a, 1e17);
        claimAndClose(2, b, 1e17);
        BatchedVoucher[] memory batch = new BatchedVoucher[](3);
        batch[0] = batched(1, voucherOf(a, 1e17));
        batch[1] = batched(2, voucherOf(b, 2e17));
        batch[2] = batched(3, voucherOf(c, 3e17));
        assertEq(escrow.claimMany(provider, providerSigner, batch), 3e17, "paid");
    }

    function test_voucherAboveTheDeposit_staysGoodForTheRestAfterATopUp() external {
        ChannelId id = openChannel(1, 1e18, 0);
        assertEq(claim(1, id, 3e18), 1e18, "deposit");
        vm.prank(requester);
        escrow.topUp(id, 5e18);
        assertEq(claim(1, id, 3e18), 2e18, "rest");
    }

    function testFuzz_closing_givesEachSideExactlyItsOwn(uint96 deposit, uint96 bond, uint96 cumulative) external {
        deposit = within(deposit, 1, PURSE);
        bond = within(bond, 0, PURSE);
        ChannelId id = openChannel(1, deposit, bond);
        uint96 paid = claimAndClose(1, id, cumulative);
        assertEq(freeOf(requester), PURSE - paid, "requester");
        assertEq(freeOf(provider), PURSE + paid - Fees.feeUp(paid, FEE_BPS), "provider");
    }

    function testFuzz_fees_addUpHoweverAClaimIsSplit(uint96 a, uint96 b, uint16 bps) external pure {
        bps = bps % 501;
        if (a > b) (a, b) = (b, a);
        uint256 split = uint256(Fees.feeOnStep(0, a, bps)) + Fees.feeOnStep(a, b, bps);
        assertEq(split, Fees.feeUp(b, bps), "split");
        require(Fees.feeOnStep(a, b, bps) <= b - a, "fee above the payment");
        require(Fees.feeUp(b, bps) * 10_000 >= uint256(b) * bps, "rounded for the claimant");
    }

    function testFuzz_channelWord_givesBackWhatWasPacked(
        uint96 deposit,
        uint96 settled,
        uint40 closeAt,
        uint16 feeBps,
        uint8 status
    ) external pure {
        ChannelStatus s = ChannelStatus(status % 4);
        ChannelWord word = packChannel(deposit, settled, closeAt, feeBps, s);
        require(word.deposit() == deposit && word.settled() == settled, "amounts");
        require(word.closeAt() == closeAt && word.feeBps() == feeBps && word.status() == s, "rest");
        require(word.isLive() == (s == ChannelStatus.Open || s == ChannelStatus.Closing), "live");
        if (settled < deposit) {
            word = word.paying(deposit - settled);
            require(word.settled() == deposit && word.deposit() == deposit, "paying");
            require(
                word.closeAt() == closeAt && word.feeBps() == feeBps && word.status() == s,
                "paying spoilt the rest"
            );
        }
    }

    function testFuzz_voucherOfAnotherChannelOrKey_paysNothing(uint96 counter, uint256 key) external {
        vm.assume(counter != 1);
        key = 1 + (key % 1e18);
        vm.assume(key != REQUESTER_SIGNER_KEY);
        ChannelId id = openChannel(1, 1e18, 0);
        Voucher memory voucher = voucherOf(id, 1e17);
        bytes32 digest = escrow.digestOfVoucher(voucher);
        bytes memory forged = sign(key, digest);
        vm.expectRevert(
            abi.encodeWithSelector(IComputeEscrowErrors.ComputeEscrowBadSigner.selector, requesterSigner, vm.addr(key))
        );
        escrow.claim(partiesOf(1), voucher, forged);

        bytes memory genuine = sign(REQUESTER_SIGNER_KEY, digest);
        ChannelId other = escrow.channelIdOf(partiesOf(counter));
        vm.expectRevert(abi.encodeWithSelector(IComputeEscrowErrors.ComputeEscrowWrongParties.selector, id, other));
        escrow.claim(partiesOf(counter), voucher, genuine);
    }

    function pay(ChannelId id, uint96 cumulative) private returns (uint96) {
        uint96 settled = escrow.channel(id).settled;
        if (least(cumulative, escrow.channel(id).deposit) <= settled) {
            Voucher memory voucher = voucherOf(id, cumulative);
            bytes memory signature = signVoucher(voucher);
            vm.expectRevert(
                abi.encodeWithSelector(
                    IComputeEscrowErrors.ComputeEscrowNothingToClaim.selector,
                    id,
                    cumulative,
                    settled
                )
            );
            escrow.claim(partiesOf(1), voucher, signature);
            return 0;
        }
        return claim(1, id, cumulative);
    }

    function least(uint96 a, uint96 b) private pure returns (uint96) {
        return a < b ? a : b;
    }

    function within(uint96 value, uint96 low, uint96 high) private pure returns (uint96) {
        return low + (value % (high - low + 1));
    }
}
