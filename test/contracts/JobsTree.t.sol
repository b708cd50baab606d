// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

import {JobsTree} from "../../contracts/libraries/JobsTree.sol";
import {Vm} from "./support/Vm.sol";

/// @title A share is proven at its place among the paid ones, and nowhere else
contract JobsTreeTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant FEWEST_VECTORS = 50;

    string private _json;

    struct Vector {
        bytes32 leaf;
        uint64 index;
        uint64 jobs;
        bytes32 root;
        bytes32[] proof;
    }

    function setUp() external {
        _json = vm.readFile("test/vectors/jobs-tree.json");
    }

    // External, because the library takes calldata.

    function rootFromProof(
        bytes32 leaf,
        uint64 index,
        uint64 jobs,
        bytes32[] calldata proof
    ) external pure returns (bytes32) {
        return JobsTree.rootFromProof(leaf, index, jobs, proof);
    }

    function proves(
        bytes32 root,
        bytes32 leaf,
        uint64 index,
        uint64 jobs,
        bytes32[] calldata proof
    ) external pure returns (bool) {
        return JobsTree.proves(root, leaf, index, jobs, proof);
    }

    function test_vectors_leafAndProofLeadToTheirRoot() external view {
        uint256 count;
        for (; exists(count); ++count) {
            Vector memory v = vectorAt(count);
            string memory key = keyOf(count);
            bytes32 leaf = JobsTree.leaf(
                uint64(vm.parseJsonUint(_json, string.concat(key, ".seq"))),
                vm.parseJsonBytes32(_json, string.concat(key, ".agreement")),
                uint96(vm.parseJsonUint(_json, string.concat(key, ".amount")))
            );
            require(leaf == v.leaf, "leaf differs");
            require(this.rootFromProof(v.leaf, v.index, v.jobs, v.proof) == v.root, "root differs");
            require(this.proves(v.root, v.leaf, v.index, v.jobs, v.proof), "not proven");
        }
        require(count >= FEWEST_VECTORS, "vectors missing");
    }

    function test_vectors_proveNoOtherPlace() external view {
        for (uint256 i = 0; exists(i); ++i) {
            Vector memory v = vectorAt(i);
            for (uint64 index = 0; index < v.jobs + 2; ++index)
                require(
                    this.proves(v.root, v.leaf, index, v.jobs, v.proof) == (index == v.index),
                    "proven at another place"
                );
        }
    }

    function test_vectors_aProofOfAnotherLengthIsNone() external view {
        for (uint256 i = 0; exists(i); ++i) {
            Vector memory v = vectorAt(i);
            bytes32[] memory other = new bytes32[](v.proof.length + 1);
            for (uint256 j = 0; j < v.proof.length; ++j) other[j] = v.proof[j];
            require(this.rootFromProof(v.leaf, v.index, v.jobs, other) == 0, "too long, and taken");
            if (v.proof.length == 0) continue;
            other = new bytes32[](v.proof.length - 1);
            for (uint256 j = 0; j < other.length; ++j) other[j] = v.proof[j];
            require(this.rootFromProof(v.leaf, v.index, v.jobs, other) == 0, "too short, and taken");
        }
    }

    function test_fuzz_placeOutsideTheTree_isZeroAndProvesNothing(
        bytes32 leaf,
        uint64 index,
        uint64 jobs,
        bytes32[] calldata proof
    ) external view {
        vm.assume(index >= jobs);
        require(this.rootFromProof(leaf, index, jobs, proof) == 0, "no such place");
        require(!this.proves(0, leaf, index, jobs, proof), "zero proves nothing");
    }

    function test_fuzz_anyCall_returns(
        bytes32 root,
        bytes32 leaf,
        uint64 index,
        uint64 jobs,
        bytes32[] calldata proof
    ) external view {
        bytes32 led = this.rootFromProof(leaf, index, jobs, proof);
        require(this.proves(root, leaf, index, jobs, proof) == (led == root && root != 0), "not the same");
    }

    function test_mostShares_areProvenBySixtyFourSiblings() external view {
        bytes32[] memory proof = new bytes32[](64);
        require(this.rootFromProof("leaf", type(uint64).max - 2, type(uint64).max, proof) != 0, "not reached");
        require(this.rootFromProof("leaf", type(uint64).max, type(uint64).max, proof) == 0, "no such place");
    }

    function exists(uint256 i) private view returns (bool) {
        return vm.keyExistsJson(_json, string.concat(keyOf(i), ".leaf"));
    }

    function keyOf(uint256 i) private pure returns (string memory) {
        return string.concat(".proofs[", Strings.toString(i), "]");
    }

    function vectorAt(uint256 i) private view returns (Vector memory v) {
        string memory key = keyOf(i);
        v.leaf = vm.parseJsonBytes32(_json, string.concat(key, ".leaf"));
        v.index = uint64(vm.parseJsonUint(_json, string.concat(key, ".index")));
        v.jobs = uint64(vm.parseJsonUint(_json, string.concat(key, ".jobs")));
        v.root = vm.parseJsonBytes32(_json, string.concat(key, ".root"));
        v.proof = vm.parseJsonBytes32Array(_json, string.concat(key, ".proof"));
    }
}
