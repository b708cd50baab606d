// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

struct Advert {
    address node;
    uint64 seq;
    string network;
    string[] kinds;
    string hardware;
    uint64 issuedAt;
    uint64 expiresAt;
}

struct Offer {
    address requester;
    uint256 nonce;
    string network;
    string class;
    bytes32 spec;
    bytes32 image;
    uint32 tasks;
    uint32 cpuMillis;
    uint64 memoryBytes;
    uint64 diskBytes;
    uint32 gpus;
    string gpuVendor;
    uint64 gpuMemoryBytes;
    string[] egress;
    uint64 taskTimeoutMs;
    uint64 payEveryMs;
    string payPer;
    uint64 fuel;
    uint96 maxPrice;
    uint64 issuedAt;
    uint64 bidsUntil;
}

struct Bid {
    bytes32 offer;
    address provider;
    uint96 price;
    uint32 capacity;
    uint64 etaMs;
    bool cached;
    uint64 validUntil;
}

struct Award {
    bytes32 agreement;
    uint32[] tasks;
    uint64 issuedAt;
}

struct Heartbeat {
    bytes32 agreement;
    uint64 seq;
    uint64 elapsedMs;
    bytes32 digest;
    bool closing;
    uint64 at;
}

/// @title EIP-712 struct hashes of the messages that no contract ever sees
/// @notice Kept for the vectors alone: a second opinion on the codec of the nodes.
library OffChainMessages {
    bytes32 internal constant ADVERT_TYPEHASH = keccak256(
        "Advert(address node,uint64 seq,string network,string[] kinds,string hardware,uint64 issuedAt,uint64 expiresAt)"
    );
    bytes32 internal constant OFFER_TYPEHASH = keccak256(
        "Offer(address requester,uint256 nonce,string network,string class,bytes32 spec,bytes32 image,uint32 tasks,uint32 cpuMillis,uint64 memoryBytes,uint64 diskBytes,uint32 gpus,string gpuVendor,uint64 gpuMemoryBytes,string[] egress,uint64 taskTimeoutMs,uint64 payEveryMs,string payPer,uint64 fuel,uint96 maxPrice,uint64 issuedAt,uint64 bidsUntil)"
    );
    bytes32 internal constant BID_TYPEHASH = keccak256(
        "Bid(bytes32 offer,address provider,uint96 price,uint32 capacity,uint64 etaMs,bool cached,uint64 validUntil)"
    );
    bytes32 internal constant HEARTBEAT_TYPEHASH = keccak256(
        "Heartbeat(bytes32 agreement,uint64 seq,uint64 elapsedMs,bytes32 digest,bool closing,uint64 at)"
    );
    bytes32 internal constant AWARD_TYPEHASH = keccak256("Award(bytes32 agreement,uint32[] tasks,uint64 issuedAt)");

    function hash(Advert memory m) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    ADVERT_TYPEHASH,
                    m.node,
                    m.seq,
                    text(m.network),
                    texts(m.kinds),
                    text(m.hardware),
                    m.issuedAt,
                    m.expiresAt
                )
            );
    }

    function hash(Offer memory m) internal pure returns (bytes32) {
        bytes memory front = abi.encode(
            OFFER_TYPEHASH,
            m.requester,
            m.nonce,
            text(m.network),
            text(m.class),
            m.spec,
            m.image,
            m.tasks,
            m.cpuMillis,
            m.memoryBytes
        );
        bytes memory back = abi.encode(
            m.diskBytes,
            m.gpus,
            text(m.gpuVendor),
            m.gpuMemoryBytes,
            texts(m.egress),
            m.taskTimeoutMs,
            m.payEveryMs,
            text(m.payPer),
            m.fuel,
            m.maxPrice,
            m.issuedAt,
            m.bidsUntil
        );
        return keccak256(bytes.concat(front, back));
    }

    function hash(Bid memory m) internal pure returns (bytes32) {
        return keccak256(abi.encode(BID_TYPEHASH, m));
    }

    function hash(Heartbeat memory m) internal pure returns (bytes32) {
        return keccak256(abi.encode(HEARTBEAT_TYPEHASH, m));
    }

    function hash(Award memory m) internal pure returns (bytes32) {
        // Elements of a list are padded to 32 bytes each, which is how encodePacked treats an array.
        return keccak256(abi.encode(AWARD_TYPEHASH, m.agreement, keccak256(abi.encodePacked(m.tasks)), m.issuedAt));
    }

    function texts(string[] memory values) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](values.length);
        for (uint256 i = 0; i < hashes.length; ++i) hashes[i] = text(values[i]);
        return keccak256(abi.encodePacked(hashes));
    }

    function text(string memory value) private pure returns (bytes32) {
        return keccak256(bytes(value));
    }
}
