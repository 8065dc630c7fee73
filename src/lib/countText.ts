const COUNT = new Intl.NumberFormat('en-US');

/** `1,234,567`: a number as people read it. */
export function countText(value: number): string {
  return COUNT.format(value);
}
