/** The top of an axis: the next of 2, 4, 6, 8, 12, 16, 20, 40 … that holds the largest value; its half is a whole number. */
export function niceTop(largest: number): number {
  for (let power = 1; ; power *= 10) {
    for (const step of [2, 4, 6, 8, 12, 16]) if (step * power >= largest) return step * power;
  }
}
