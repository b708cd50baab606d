// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Messages} from "../../contracts/libraries/Messages.sol";
import {Agreement, BondOffer, CloseMutual, Receipt, Voucher} from "../../contracts/types/SignedMessages.sol";
import {EscrowFixture} from "./support/EscrowFixture.sol";
import {Advert, Award, Bid, Heartbeat, OffChainMessages, Offer} from "./support/OffChainMessages.sol";
import {VectorFile} from "./support/VectorFile.sol";

/// @title Both languages hash and sign alike
contract TypedDataTest is EscrowFixture {
    using OffChainMessages for *;

    uint256 private constant VECTORS_OF_EACH_TYPE = 4;
    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    VectorFile private v;
    bytes32 private contractDigest;

    function setUp() external {
        deployEscrow();
        v = new VectorFile();
    }

    function test_bondOffer_matchesItsVectors() external {
        check("BondOffer");
    }

    function test_agreement_matchesItsVectors() external {
        check("Agreement");
    }

    function test_receipt_matchesItsVectors() external {
        check("Receipt");
    }

    function test_voucher_matchesItsVectors() external {
        check("Voucher");
    }

    function test_closeMutual_matchesItsVectors() external {
        check("CloseMutual");
    }

    function test_advert_matchesItsVectors() external {
        check("Advert");
    }

    function test_offer_matchesItsVectors() external {
        check("Offer");
    }

    function test_bid_matchesItsVectors() external {
        check("Bid");
    }

    function test_heartbeat_matchesItsVectors() external {
        check("Heartbeat");
    }

    function test_award_matchesItsVectors() external {
        check("Award");
    }

    function check(string memory name) private {
        uint256 seen;
        for (uint256 i = 0; v.select(i); ++i) {
            if (!equal(v.name(), name)) continue;
            ++seen;
            bytes32 structHash = structHashOf(name);
            require(structHash == v.top("structHash"), "struct hash differs");
            bytes32 digest = digestIn(v.chainId(), v.verifyingContract(), structHash);
            require(digest == v.top("digest"), "digest differs");
            require(ECDSA.recover(digest, v.signature()) == v.signer(), "signer differs");
            require(
                keccak256(sign(uint256(v.top("privateKey")), digest)) == keccak256(v.signature()),
                "signature differs"
            );
            if (contractDigest != 0)
                require(contractDigest == digestIn(block.chainid, address(escrow), structHash), "escrow differs");
        }
        assertEq(seen, VECTORS_OF_EACH_TYPE, "vectors missing");
    }

    function digestIn(uint256 chainId, address verifyingContract, bytes32 structHash) private pure returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256("ComputeEscrow"), keccak256("1"), chainId, verifyingContract)
        );
        return MessageHashUtils.toTypedDataHash(separator, structHash);
    }

    function equal(string memory a, string memory b) private pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }

    function structHashOf(string memory name) private returns (bytes32) {
        contractDigest = 0;
        if (equal(name, "BondOffer")) return this.hashBondOffer(bondOffer());
        if (equal(name, "Agreement")) return this.hashAgreement(agreement());
        if (equal(name, "Receipt")) return this.hashReceipt(receipt());
        if (equal(name, "Voucher")) return this.hashVoucher(voucher());
        if (equal(name, "CloseMutual")) return this.hashCloseMutual(mutual());
        if (equal(name, "Advert")) return advert().hash();
        if (equal(name, "Offer")) return offer().hash();
        if (equal(name, "Bid")) return bid().hash();
        if (equal(name, "Heartbeat")) return heartbeat().hash();
        return award().hash();
    }

    // External, because the escrow hashes calldata.

    function hashBondOffer(BondOffer calldata m) external returns (bytes32) {
        contractDigest = escrow.digestOfBondOffer(m);
        return Messages.hash(m);
    }

    function hashAgreement(Agreement calldata m) external returns (bytes32) {
        contractDigest = escrow.digestOfAgreement(m);
        return Messages.hash(m);
    }

    function hashReceipt(Receipt calldata m) external returns (bytes32) {
        contractDigest = escrow.digestOfReceipt(m);
        return Messages.hash(m);
    }

    function hashVoucher(Voucher calldata m) external returns (bytes32) {
        contractDigest = escrow.digestOfVoucher(m);
        return Messages.hash(m);
    }

    function hashCloseMutual(CloseMutual calldata m) external returns (bytes32) {
        contractDigest = escrow.digestOfCloseMutual(m);
        return Messages.hash(m);
    }

    function bondOffer() private view returns (BondOffer memory m) {
        m.provider = v.addr("provider");
        m.requester = v.addr("requester");
        m.providerSigner = v.addr("providerSigner");
        m.bond = uint96(v.num("bond"));
        m.hold = uint40(v.num("hold"));
        m.expiry = uint40(v.num("expiry"));
        m.nonce = v.num("nonce");
    }

    function agreement() private view returns (Agreement memory m) {
        m.channel = v.word("channel");
        m.seq = uint64(v.num("seq"));
        m.offer = v.word("offer");
        m.spec = v.word("spec");
        m.input = v.word("input");
        m.tasks = uint32(v.num("tasks"));
        m.price = uint96(v.num("price"));
        m.owedAfter = uint96(v.num("owedAfter"));
        m.stake = uint96(v.num("stake"));
        m.caseBond = uint96(v.num("caseBond"));
        m.verifier = v.addr("verifier");
        m.verifierParams = v.word("verifierParams");
        m.nonceCommitR = v.word("nonceCommitR");
        m.nonceCommitP = v.word("nonceCommitP");
        m.startBy = uint40(v.num("startBy"));
        m.finishBy = uint40(v.num("finishBy"));
        m.disputeUntil = uint40(v.num("disputeUntil"));
        m.onUndecided = uint8(v.num("onUndecided"));
    }

    function receipt() private view returns (Receipt memory m) {
        m.agreement = v.word("agreement");
        m.completed = uint32(v.num("completed"));
        m.amount = uint96(v.num("amount"));
        m.resultCommit = v.word("resultCommit");
        m.trace = v.word("trace");
        m.dataRoot = v.word("dataRoot");
        m.finishedAt = uint40(v.num("finishedAt"));
    }

    function voucher() private view returns (Voucher memory m) {
        m.channel = v.word("channel");
        m.cumulative = uint96(v.num("cumulative"));
        m.jobs = uint64(v.num("jobs"));
        m.jobsRoot = v.word("jobsRoot");
    }

    function mutual() private view returns (CloseMutual memory m) {
        m.channel = v.word("channel");
        m.finalSettled = uint96(v.num("finalSettled"));
        m.deadline = uint40(v.num("deadline"));
    }

    function advert() private view returns (Advert memory m) {
        m.node = v.addr("node");
        m.seq = uint64(v.num("seq"));
        m.network = v.text("network");
        m.kinds = v.texts("kinds");
        m.hardware = v.text("hardware");
        m.issuedAt = uint64(v.num("issuedAt"));
        m.expiresAt = uint64(v.num("expiresAt"));
    }

    function offer() private view returns (Offer memory m) {
        m.requester = v.addr("requester");
        m.nonce = v.num("nonce");
        m.network = v.text("network");
        m.class = v.text("class");
        m.spec = v.word("spec");
        m.image = v.word("image");
        m.tasks = uint32(v.num("tasks"));
        m.cpuMillis = uint32(v.num("cpuMillis"));
        m.memoryBytes = uint64(v.num("memoryBytes"));
        m.diskBytes = uint64(v.num("diskBytes"));
        m.gpus = uint32(v.num("gpus"));
        m.gpuVendor = v.text("gpuVendor");
        m.gpuMemoryBytes = uint64(v.num("gpuMemoryBytes"));
        m.egress = v.texts("egress");
        m.taskTimeoutMs = uint64(v.num("taskTimeoutMs"));
        m.payEveryMs = uint64(v.num("payEveryMs"));
        m.payPer = v.text("payPer");
        m.fuel = uint64(v.num("fuel"));
        m.maxPrice = uint96(v.num("maxPrice"));
        m.issuedAt = uint64(v.num("issuedAt"));
        m.bidsUntil = uint64(v.num("bidsUntil"));
    }

    function bid() private view returns (Bid memory m) {
        m.offer = v.word("offer");
        m.provider = v.addr("provider");
        m.price = uint96(v.num("price"));
        m.capacity = uint32(v.num("capacity"));
        m.etaMs = uint64(v.num("etaMs"));
        m.cached = v.flag("cached");
        m.validUntil = uint64(v.num("validUntil"));
    }

    function heartbeat() private view returns (Heartbeat memory m) {
        m.agreement = v.word("agreement");
        m.seq = uint64(v.num("seq"));
        m.elapsedMs = uint64(v.num("elapsedMs"));
        m.digest = v.word("digest");
        m.closing = v.flag("closing");
        m.at = uint64(v.num("at"));
    }

    function award() private view returns (Award memory m) {
        m.agreement = v.word("agreement");
        m.issuedAt = uint64(v.num("issuedAt"));
        uint256[] memory tasks = v.nums("tasks");
        m.tasks = new uint32[](tasks.length);
        for (uint256 i = 0; i < tasks.length; ++i) m.tasks[i] = uint32(tasks[i]);
    }
}
