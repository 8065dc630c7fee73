/** A snapshot of some identities: they are read one by one. */

import { createHash, randomBytes } from 'node:crypto';

import type { ContainerClient } from '@azure/storage-blob';

import { identityOf } from '../devicesFile/identityTable.ts';
import { HubError, type RegistryClient } from '../registry/index.ts';
import { createBlockWriter } from '../storage/blockWriter.ts';
import { readJson, writeJson } from '../storage/jsonBlob.ts';
import { memberMap, objectText } from '../textFile/jsonMembers.ts';
import { type FoundIdentity, type RegistryLine, readIdentity, UNREADABLE } from './registryLine.ts';
import { type Identity, isModuleLine, type Snapshot, type SnapshotKeys } from './snapshot.ts';

/** As many as a hub of the smallest tier answers without throttling, each of two calls or three. */
const READS_AT_ONCE = 4;

/** Of what, and to where, snapshots are taken. */
export interface SnapshotPlace {
  readonly hub: RegistryClient;
  readonly container: ContainerClient;
  readonly now: () => Date;
}

export interface TakeOptions {
  /** Default: included. */
  readonly keys?: SnapshotKeys;
  /** False: twins are left out, which halves the calls. */
  readonly twins?: boolean;
  /** What a line leads to: it is read, too, and so on; `unreadable`: only an export can tell. */
  readonly follow?: (line: RegistryLine) => Followed | Promise<Followed>;
  /** More than so many are left to an export. */
  readonly most?: number;
}

type Followed = readonly Identity[] | typeof UNREADABLE;

/**
 * Reads identities one by one. Those that do not exist are left out.
 *
 * @param name what the name of the blob begins with: each attempt writes one of its own
 * @returns `export` when one of them can only be had by an export, or there are too many
 * @throws HubError
 */
export async function takeSnapshot(
  place: SnapshotPlace,
  name: string,
  wanted: readonly Identity[],
  options: TakeOptions = {},
): Promise<Snapshot | 'export'> {
  const takenAt = place.now().toISOString();
  const lines: (string | null)[] = [];
  for await (const wave of readInWaves(place.hub, wanted, options)) {
    if (wave === UNREADABLE) return 'export';
    lines.push(...wave);
  }
  return write(place, name, { lines, takenAt, options });
}

/** What a part of a snapshot has read so far: a line of an identity, or null of one that is not there. */
interface Part {
  readonly takenAt: string;
  readonly lines: readonly (string | null)[];
}

/**
 * The same in parts, for identities that are read at leisure: what was read is noted when the time is up, or when the
 * hub is in trouble, and the next call with the same name goes on from there.
 *
 * @returns `again`: the time is up, and there is more to be read
 */
export async function takeSnapshotInParts(
  place: SnapshotPlace,
  name: string,
  wanted: readonly Identity[],
  until: Date,
): Promise<Snapshot | 'export' | 'again'> {
  const noted = place.container.getBlockBlobClient(`${name}.part.json`);
  const part = (await readJson<Part>(noted))?.value;
  const { takenAt = place.now().toISOString() } = part ?? {};
  const lines = [...(part?.lines ?? [])];
  const note = () => writeJson(noted, { takenAt, lines } satisfies Part);
  try {
    for await (const wave of readInWaves(place.hub, wanted.slice(lines.length))) {
      if (wave === UNREADABLE) return 'export';
      lines.push(...wave);
      if (lines.length < wanted.length && place.now() > until) {
        await note();
        return 'again';
      }
    }
  } catch (error) {
    if (error instanceof HubError) await note();
    throw error;
  }
  return write(place, name, { lines, takenAt, options: {} });
}

async function* readInWaves(
  hub: RegistryClient,
  wanted: readonly Identity[],
  { keys = 'included', twins = true, follow, most = Number.POSITIVE_INFINITY }: TakeOptions = {},
): AsyncGenerator<readonly (string | null)[] | typeof UNREADABLE> {
  const queue = [...wanted];
  const asked = new Set(queue.map(identityOf));
  for (let wave = queue.splice(0, READS_AT_ONCE); wave.length > 0; wave = queue.splice(0, READS_AT_ONCE)) {
    const found = await Promise.all(wave.map((identity) => readIdentity(hub, identity, { twins })));
    const lines: (string | null)[] = [];
    for (const identity of found) {
      if (identity === UNREADABLE) {
        yield UNREADABLE;
        return;
      }
      lines.push(textOf(identity, keys));
      const followed = (identity && (await follow?.(identity.line))) ?? [];
      for (const led of followed === UNREADABLE ? [] : followed) {
        if (!asked.has(identityOf(led))) queue.push(led);
        asked.add(identityOf(led));
      }
      if (followed === UNREADABLE || asked.size > most) {
        yield UNREADABLE;
        return;
      }
    }
    yield lines;
  }
}

function textOf(found: FoundIdentity | undefined, keys: SnapshotKeys): string | null {
  if (found === undefined) return null;
  if (keys === 'included') return found.text;
  const members = memberMap(found.text);
  members.delete('authentication');
  return objectText(members);
}

async function write(
  { hub, container }: SnapshotPlace,
  name: string,
  { lines, takenAt, options }: Part & { readonly options: TakeOptions },
): Promise<Snapshot> {
  // Two attempts may take it at a time, and whoever keeps the snapshot says whose blob counts.
  const blobName = `${name}-${randomBytes(4).toString('hex')}.txt`;
  const writer = createBlockWriter(container.getBlockBlobClient(blobName));
  const found = lines.filter((line) => line !== null);
  for (const line of found) writer.writeLine(0, line);
  const etag = await writer.commit();
  const body = Buffer.from(found.map((line) => `${line}\n`).join(''));
  return {
    container: container.containerName,
    blobName,
    hub: hub.hubName,
    of: 'some',
    way: 'single',
    keys: options.keys ?? 'included',
    takenAt,
    asked: lines.length,
    identities: found.length,
    modules: found.filter((line) => isModuleLine(JSON.parse(line) as Identity)).length,
    bytes: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
    etag,
  };
}
