// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

import {Vm} from "./Vm.sol";

/// @title Reads test/vectors/typed-data.json one vector at a time
contract VectorFile {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    string private _json;
    string private _at;

    constructor() {
        _json = vm.readFile("test/vectors/typed-data.json");
    }

    function select(uint256 index) external returns (bool) {
        _at = string.concat(".vectors[", Strings.toString(index), "]");
        return vm.keyExistsJson(_json, string.concat(_at, ".type"));
    }

    function top(string memory key) external view returns (bytes32) {
        return vm.parseJsonBytes32(_json, string.concat(_at, ".", key));
    }

    function name() external view returns (string memory) {
        return vm.parseJsonString(_json, string.concat(_at, ".type"));
    }

    function signature() external view returns (bytes memory) {
        return vm.parseJsonBytes(_json, string.concat(_at, ".signature"));
    }

    function signer() external view returns (address) {
        return vm.parseJsonAddress(_json, string.concat(_at, ".signer"));
    }

    function chainId() external view returns (uint256) {
        return vm.parseJsonUint(_json, string.concat(_at, ".domain.chainId"));
    }

    function verifyingContract() external view returns (address) {
        return vm.parseJsonAddress(_json, string.concat(_at, ".domain.verifyingContract"));
    }

    function field(string memory key) private view returns (string memory) {
        return string.concat(_at, ".value.", key);
    }

    function num(string memory key) external view returns (uint256) {
        return vm.parseJsonUint(_json, field(key));
    }

    function nums(string memory key) external view returns (uint256[] memory) {
        return vm.parseJsonUintArray(_json, field(key));
    }

    function word(string memory key) external view returns (bytes32) {
        return vm.parseJsonBytes32(_json, field(key));
    }

    function addr(string memory key) external view returns (address) {
        return vm.parseJsonAddress(_json, field(key));
    }

    function text(string memory key) external view returns (string memory) {
        return vm.parseJsonString(_json, field(key));
    }

    function texts(string memory key) external view returns (string[] memory) {
        return vm.parseJsonStringArray(_json, field(key));
    }

    function flag(string memory key) external view returns (bool) {
        return vm.parseJsonBool(_json, field(key));
    }
}
