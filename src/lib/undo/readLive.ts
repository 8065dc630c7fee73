/** What an undo has to know of a hub as it is now: what the run has touched, and what hangs on it. */

import { identityOf } from '../devicesFile/identityTable.ts';
import { MODE_RULES } from '../devicesFile/importMode.ts';
import { createGoesWith } from '../registryLines/goesWith.ts';
import { verifiedIdentityOf } from '../registryLines/lineIdentity.ts';
import { type Identity, isModuleLine, MOST_READ_SINGLY, type Snapshot } from '../registryLines/snapshot.ts';
import { type SnapshotPlace, takeSnapshot } from '../registryLines/takeSnapshot.ts';
import type { RunEffects } from '../runs/runEffects.ts';

/**
 * Reads them one by one, with keys, into the container.
 *
 * @param before the lines of the pre-image
 * @returns `export`: they are more than are read one by one, or the hub does not show one of them so: the whole registry
 *   has to be exported
 * @throws HubError
 */
export async function readLive(
  place: SnapshotPlace,
  name: string,
  effects: Pick<RunEffects, 'lines' | 'lineCount' | 'preImage'>,
  before?: AsyncIterable<string>,
): Promise<Snapshot | 'export'> {
  if (effects.lineCount > MOST_READ_SINGLY || effects.preImage?.way === 'export') return 'export';
  const wanted = new Map<string, Identity>();
  const known = new Set<string>();
  const made = new Set<string>();
  const want = ({ id, moduleId }: Identity) => {
    const identity = moduleId === undefined ? { id } : { id, moduleId };
    wanted.set(identityOf(identity), identity);
  };
  for await (const text of before ?? []) {
    const identity = verifiedIdentityOf(text);
    if ('code' in identity) throw new Error('A line of a snapshot is of no identity.');
    known.add(identityOf(identity));
    want(identity);
  }
  for await (const line of effects.lines()) {
    want(line);
    if (MODE_RULES[line.mode].mayCreate && line.applied !== 'no' && !known.has(identityOf(line))) made.add(line.id);
  }
  if (wanted.size > MOST_READ_SINGLY) return 'export';
  // What was made by the run may have been given modules and children since, which would go with it.
  const goesWith = createGoesWith(place.hub);
  return takeSnapshot(place, name, [...wanted.values()], {
    follow: (line) => (!isModuleLine(line) && made.has(line.id) ? goesWith(line) : []),
    most: MOST_READ_SINGLY,
  });
}
