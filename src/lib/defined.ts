/**
 * The members that are defined: for objects in which a member that is absent and one that is undefined are not the same,
 * as in what is stored or sent. What is made for every line of a file is better written out: this costs some of its time.
 */
export function defined<Members extends object>(
  members: Members,
): { [Name in keyof Members]?: Exclude<Members[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
}
