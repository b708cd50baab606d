import { effortProcesses } from '../../../../../node/adapters/system/effort-processes.ts'
import { effortKeepsItsPromises } from '../../../../conformance/effort.ts'
import { FakeEffort } from '../../../../support/fake-effort.ts'

effortKeepsItsPromises('effort processes', effortProcesses)
effortKeepsItsPromises('fake effort', new FakeEffort())
