// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @title The Merkle tree over a channel's paid shares, to which every voucher commits
/// @notice Positional: a proof shows a share and its place. An inner node is keccak256(left, right); a node without a
/// neighbour moves up as it is. Leaves are hashed twice, so that no inner node can pass for one. Both languages test it
/// against test/vectors/jobs-tree.json.
library JobsTree {
    /// @dev Leaf of one paid share.
    function leaf(uint64 seq, bytes32 agreement, uint96 amount) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(seq, agreement, amount))));
    }

    /// @dev Root to which `proof` leads from the leaf at `index`, counted from 0, of `jobs` leaves: the inclusion check of
    /// RFC 9162, section 2.1.3.2. Zero when the proof is not as long as that place has it, or there is no such place.
    /// Warning: zero is also what an unset root holds. Compare by {proves}, for which zero proves nothing.
    function rootFromProof(
        bytes32 leaf_,
        uint64 index,
        uint64 jobs,
        bytes32[] calldata proof
    ) internal pure returns (bytes32 root) {
        if (index >= jobs) return 0;
        root = leaf_;
        uint256 used;
        // Halving reaches zero in at most 64 steps.
        for (uint256 last = jobs - 1; last > 0; last >>= 1) {
            bool right = index & 1 == 1;
            if (right || index < last) {
                if (used == proof.length) return 0;
                bytes32 sibling = proof[used];
                ++used;
                root = right ? Hashes.efficientKeccak256(sibling, root) : Hashes.efficientKeccak256(root, sibling);
            }
            index >>= 1;
        }
        if (used != proof.length) return 0;
    }

    /// @dev True when `proof` shows that the leaf stands at `index` of the `jobs` leaves under `root`.
    function proves(
        bytes32 root,
        bytes32 leaf_,
        uint64 index,
        uint64 jobs,
        bytes32[] calldata proof
    ) internal pure returns (bool) {
        return root != 0 && rootFromProof(leaf_, index, jobs, proof) == root;
    }
}
