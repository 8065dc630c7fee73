export type Fields = Readonly<Record<string, unknown>>;

/** What a record that was read has to hold: one test a field. */
export type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

export const isText = (value: unknown): boolean => typeof value === 'string';
export const isTrue = (value: unknown): boolean => value === true;
export const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
export const isInstant = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));
export const oneOf = (words: readonly string[]) => (value: unknown) =>
  typeof value === 'string' && words.includes(value);
export const isCounts = (value: unknown): boolean => isObject(value) && Object.values(value).every(isNumber);
export const holding = (required: Shape) => (value: unknown) =>
  isObject(value) && Object.entries(required).every(([name, holds]) => holds(value[name]));

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
