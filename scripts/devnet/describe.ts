import type { LocalNetwork } from './local-network.ts'

/** What a person needs to play with a local network. */
export function describeNetwork({ rpc, contracts, requesters, providers }: LocalNetwork): string[] {
  const [requester] = requesters
  return [
    '',
    `chain        ${rpc} (id ${contracts.chainId})`,
    `escrow       ${contracts.escrow}`,
    `token        ${contracts.token}`,
    ...[...requesters, ...providers].map(
      ({ name, peer, dir }) => `${name.padEnd(13)}${peer}  ${dir}`,
    ),
    '',
    'Try, in another terminal:',
    `  bin/hive peers --data ${requester?.dir ?? ''}`,
    `  bin/hive run jobs/path-tracer/tracer.wasm --data ${requester?.dir ?? ''} --tasks 4 --out out/tiles \\`,
    '    -- --width 360 --height 240 --samples 8 --tiles 4 --tile {index}',
    '',
    'Ctrl-C ends everything.',
  ]
}
