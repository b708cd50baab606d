import { errorText as text, type ErrorText } from './error-text.ts'

/** What can be wrong with the node itself, its folder and its API: part of ERROR_CODES. */
export const NODE_ERRORS = {
  // the node itself
  CONFIG_INVALID: text(
    'The configuration has mistakes.',
    'Mend the paths listed; docs/operations/config.md describes every field.',
  ),
  CONFIG_MISSING: text(
    'There is no node in this folder yet.',
    'Run `hive init` first, or point --data at an existing folder.',
  ),
  ALREADY_INITIALISED: text(
    'This folder already holds a node.',
    'Use another --data folder; nothing was changed.',
  ),
  PASSPHRASE_WRONG: text(
    'The passphrase does not open the keystore.',
    'Try again; the keystore cannot be opened without it.',
  ),
  PASSPHRASE_MISSING: text(
    'The keystore needs a passphrase and none was given.',
    'Set HIVE_PASSPHRASE_FILE, or answer the prompt on a terminal.',
  ),
  KEYSTORE_INVALID: text(
    'The keystore file is damaged or not a keystore.',
    'Restore keystore.json from your backup.',
  ),
  DATA_LOCKED: text(
    'Another process uses this data folder.',
    'Stop the other node, or give this one its own --data folder.',
  ),
  DATA_DAMAGED: text(
    'A record in the data folder cannot be read.',
    'Restore the folder from a backup, or start with a new one.',
  ),
  DATA_UNUSABLE: text(
    'The data folder cannot be read or written.',
    'Free some disk space, check the folder’s permissions, and start the node again.',
  ),
  PORT_IN_USE: text(
    'A port that the node needs is taken.',
    'Change network.listen or api.port, or stop the other program.',
  ),
  NODE_NOT_RUNNING: text('No node is running in this data folder.', 'Start it with `hive up`.'),
  API_HOST_REFUSED: text(
    'The request names another host than this machine.',
    'Use 127.0.0.1 or localhost as the host.',
  ),
  API_ROUTE_UNKNOWN: text(
    'The node’s API has no such route.',
    'GET /v1/openapi.json lists every route; check that node and client are of one version.',
  ),
  API_UNAUTHORISED: text(
    'The request carries no valid token.',
    'Use the token in the data folder’s api.json.',
  ),
  INPUT_INVALID: text('The request has mistakes.', 'Mend the paths listed.'),
  TILE_INVALID: text('A picture tile is damaged or does not fit.', 'Render the tile again.'),
  NODE_ALONE: text(
    'This node is connected to nobody.',
    'Check the network, that network.bootstrap names a node that runs, and that it has the same network.keyFile.',
  ),
  NODE_UNHEARD: text(
    'Other nodes take offers of the same kind, but none passes them on to this one.',
    'Mostly it mends itself within a minute; if it stays, restart the node and see that its clock is right.',
  ),
  NODE_UNLISTED: text(
    'No peer that was asked finds what this node says of itself in the DHT, so nobody can look it up.',
    'It is announced again by itself; if it stays, see that the clock is right and the port can be reached.',
  ),
  NODE_UNREACHABLE: text(
    'No peer that was asked could open a connection to this node.',
    'Open or forward the port in network.listen, and name the public address in network.announce.',
  ),
  CANCELLED: text('The operation was cancelled.', 'Start it again if this was not intended.'),
  INTERNAL: text(
    'Something failed that should not.',
    'This is a bug: please report it with the data below.',
  ),
} as const satisfies Record<string, ErrorText>
