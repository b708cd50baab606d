// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {IComputeEscrow} from "../../../contracts/interfaces/IComputeEscrow.sol";
import {ITestToken} from "./ITestToken.sol";
import {ChannelId} from "../../../contracts/types/ChannelId.sol";
import {BatchedVoucher, OpenTerms, Parties} from "../../../contracts/types/Channels.sol";
import {BondOffer, CloseMutual, Voucher} from "../../../contracts/types/SignedMessages.sol";
import {Vm} from "./Vm.sol";

/// @title An escrow, a token and a pair that can sign
abstract contract EscrowFixture {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint16 internal constant FEE_BPS = 250;
    uint96 internal constant PURSE = 1e24;
    uint256 internal constant REQUESTER_KEY = 0xA11CE;
    uint256 internal constant PROVIDER_KEY = 0xB0B;
    uint256 internal constant REQUESTER_SIGNER_KEY = 0xA11CE5;
    uint256 internal constant PROVIDER_SIGNER_KEY = 0xB0B5;

    ITestToken internal token;
    IComputeEscrow internal escrow;
    address internal requester = vm.addr(REQUESTER_KEY);
    address internal provider = vm.addr(PROVIDER_KEY);
    address internal requesterSigner = vm.addr(REQUESTER_SIGNER_KEY);
    address internal providerSigner = vm.addr(PROVIDER_SIGNER_KEY);
    address internal treasury = address(0x7EA5);

    function deployEscrow() internal {
        deployEscrowOf("devnet/TestToken.sol/TestToken");
    }

    function deployEscrowOf(string memory tokenArtifact) internal {
        vm.warp(1_700_000_000);
        token = ITestToken(deploy(tokenArtifact, ""));
        escrow = IComputeEscrow(
            deploy("ComputeEscrow.sol/ComputeEscrow", abi.encode(address(token), address(this), treasury, FEE_BPS))
        );
        fund(requester, PURSE);
        fund(provider, PURSE);
    }

    /// @dev Deploys what was just built. Reading the code spares each test file a compilation of the whole escrow, and
    /// tests the very bytes that are deployed.
    function deploy(string memory artifact, bytes memory arguments) internal returns (address deployed) {
        string memory json = vm.readFile(string.concat("artifacts/contracts/", artifact, ".json"));
        bytes memory code = bytes.concat(vm.parseJsonBytes(json, ".bytecode"), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        require(deployed != address(0), "not deployed");
    }

    function fund(address account, uint96 amount) internal {
        token.mint(address(this), amount);
        token.approve(address(escrow), amount);
        escrow.depositFor(account, amount);
    }

    function nonceOf(uint96 counter) internal view returns (uint256) {
        return (uint256(counter) << 160) | uint160(requesterSigner);
    }

    function partiesOf(uint96 counter) internal view returns (Parties memory) {
        return Parties(requester, provider, providerSigner, nonceOf(counter));
    }

    function termsOf(uint96 counter, uint96 deposit, uint96 bond) internal view returns (OpenTerms memory) {
        return
            OpenTerms({
                provider: provider,
                providerSigner: providerSigner,
                deposit: deposit,
                bond: bond,
                bondHold: 0,
                bondExpiry: uint40(block.timestamp),
                nonce: nonceOf(counter),
                agreement: keccak256("agreement")
            });
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function signBond(OpenTerms memory terms) internal view returns (bytes memory) {
        return
            sign(
                PROVIDER_KEY,
                escrow.digestOfBondOffer(
                    BondOffer(
                        terms.provider,
                        requester,
                        terms.providerSigner,
                        terms.bond,
                        terms.bondHold,
                        terms.bondExpiry,
                        terms.nonce
                    )
                )
            );
    }

    function openChannel(uint96 counter, uint96 deposit, uint96 bond) internal returns (ChannelId) {
        OpenTerms memory terms = termsOf(counter, deposit, bond);
        bytes memory signature = signBond(terms);
        vm.prank(requester);
        return escrow.createChannel(terms, signature);
    }

    function voucherOf(ChannelId id, uint96 cumulative) internal pure returns (Voucher memory) {
        return Voucher(ChannelId.unwrap(id), cumulative, 1000, keccak256("jobs"));
    }

    function signVoucher(Voucher memory voucher) internal view returns (bytes memory) {
        return sign(REQUESTER_SIGNER_KEY, escrow.digestOfVoucher(voucher));
    }

    function batched(uint96 counter, Voucher memory voucher) internal view returns (BatchedVoucher memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(REQUESTER_SIGNER_KEY, escrow.digestOfVoucher(voucher));
        bytes32 vs = s | bytes32(uint256(v - 27) << 255);
        return BatchedVoucher(requester, nonceOf(counter), voucher.cumulative, voucher.jobs, voucher.jobsRoot, r, vs);
    }

    function claim(uint96 counter, ChannelId id, uint96 cumulative) internal returns (uint96) {
        Voucher memory voucher = voucherOf(id, cumulative);
        return escrow.claim(partiesOf(counter), voucher, signVoucher(voucher));
    }

    function claimAndClose(uint96 counter, ChannelId id, uint96 cumulative) internal returns (uint96) {
        Voucher memory voucher = voucherOf(id, cumulative);
        bytes memory signature = signVoucher(voucher);
        vm.prank(provider);
        return escrow.claimAndClose(partiesOf(counter), voucher, signature);
    }

    function startClose(uint96 counter) internal {
        vm.prank(requester);
        escrow.startClose(partiesOf(counter));
    }

    function closeMutual(uint96 counter, CloseMutual memory agreed) internal {
        bytes32 digest = escrow.digestOfCloseMutual(agreed);
        escrow.closeMutual(
            partiesOf(counter),
            agreed,
            sign(REQUESTER_SIGNER_KEY, digest),
            sign(PROVIDER_SIGNER_KEY, digest)
        );
    }

    function freeOf(address account) internal view returns (uint256) {
        return escrow.account(account).free;
    }

    function assertEq(uint256 actual, uint256 expected, string memory what) internal pure {
        require(actual == expected, what);
    }
}
