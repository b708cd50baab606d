import { test, type TestContext } from 'node:test'

/** A test of one fault. It says when it begins, and when all that it asserts held; scripts/chaos/main.ts counts. */
export function fault(
  kind: string,
  name: string,
  work: (t: TestContext) => Promise<void>,
  skip: string | false = false,
): void {
  test(`${kind}: ${name}`, { skip }, async (t) => {
    t.diagnostic(`chaos: injected ${kind}`)
    await work(t)
    t.diagnostic(`chaos: survived ${kind}`)
  })
}
