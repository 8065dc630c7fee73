import { StackError } from './stackError.ts';

/**
 * The one line of JSON that a part prints when it is ready; undefined for any other line.
 * @throws StackError when it lacks one of `members`
 */
export function readyObject<Ready>(line: string, members: readonly (keyof Ready & string)[]): Ready | undefined {
  if (!line.startsWith('{')) return undefined;
  const content = JSON.parse(line) as Record<string, unknown>;
  const missing = members.filter((member) => content[member] === undefined);
  if (missing.length > 0) throw new StackError(`The ready line of the part lacks ${missing.join(', ')}.`);
  return content as Ready;
}
