/** Longest name of a region, characters. */
export const MAX_REGION_CHARS = 32
/** Words of letters and digits with `-` between, the larger place first: `eu`, `eu-west`, `us-east-1`. */
export const REGION_PATTERN = '^[a-z0-9]+(-[a-z0-9]+)*$'
