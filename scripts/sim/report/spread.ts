export function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length
}

/** Standard deviation over the mean. */
export function variation(values: readonly number[]): number {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((each) => (each - middle) ** 2))) / middle
}

/** Jain's index: 1 where all have the same, 1/n where one has all. */
export function jain(values: readonly number[]): number {
  const sum = values.reduce((all, each) => all + each, 0)
  const squares = values.reduce((all, each) => all + each * each, 0)
  return sum ** 2 / (values.length * squares)
}
