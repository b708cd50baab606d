// The part of the WebAssembly JavaScript interface that this adapter uses; `lib.dom` has it, and
// nothing else of that library belongs in a node.
declare namespace WebAssembly {
  type ModuleImports = Record<string, (...args: never[]) => unknown>

  class Memory {
    protected constructor()
    readonly buffer: ArrayBuffer
  }
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Global {
    protected constructor()
    value: bigint | number
  }
  class Instance {
    constructor(module: Module, imports: Record<string, ModuleImports>)
    readonly exports: Readonly<Record<string, unknown>>
  }
  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  function validate(bytes: Uint8Array): boolean
  function compile(bytes: Uint8Array): Promise<Module>
}
