// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.35;

import {AccountOverflow, AccountWord} from "../../contracts/types/AccountWord.sol";
import {Account} from "../../contracts/types/Channels.sol";
import {ChannelId} from "../../contracts/types/ChannelId.sol";

/// @title A packed account keeps its fields apart
contract AccountWordTest {
    function testFuzz_adding_movesItsOwnFieldsAlone(uint96 free, uint96 more, uint96 fee) external view {
        AccountWord word = AccountWord.wrap(0).adding(free, fee);
        Account memory before = word.withFault().shown();
        Account memory afterwards = word.withFault().adding(more, 0).shown();
        require(afterwards.free == uint256(free) + more, "free");
        require(afterwards.feesPaid == fee && afterwards.faults == 1, "other fields moved");
        require(afterwards.firstSeen == before.firstSeen, "first seen twice");
    }

    function test_adding_refusesWhatDoesNotFitAField() external view {
        refuses(type(uint112).max, 1, 0, 0);
        refuses(0, 0, type(uint96).max, 1);
    }

    function test_withFault_staysAtItsGreatest() external pure {
        uint256 most = uint256(type(uint16).max) << 208;
        require(AccountWord.unwrap(AccountWord.wrap(most).withFault()) == most, "faults ran over");
    }

    function test_channelIds_differOrAreTheSame() external pure {
        ChannelId one = ChannelId.wrap(bytes32(uint256(1)));
        ChannelId two = ChannelId.wrap(bytes32(uint256(2)));
        require(one == one && one != two, "comparison");
    }

    function add(uint256 free, uint256 more, uint256 fees, uint256 fee) external view {
        AccountWord.wrap(0).adding(free, fees).adding(more, fee);
    }

    function refuses(uint256 free, uint256 more, uint256 fees, uint256 fee) private view {
        try this.add(free, more, fees, fee) {
            revert("a field ran over");
        } catch (bytes memory reason) {
            require(bytes4(reason) == AccountOverflow.selector, "another refusal");
        }
    }
}
