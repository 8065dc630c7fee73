import { createHash } from 'node:crypto';

import { expect } from 'vitest';

import type { ProvisionRun } from '../../src/lib/provisioning/run/provisionRun.ts';
import type { WorkRun } from '../../src/lib/work/workRun.ts';
import { hubContainer } from '../helpers/hubContainer.ts';
import type { TestStack } from '../helpers/stack.ts';
import { doWork, hubNameOf } from './backupRuns.ts';
import { buildFleet, edgeId, type FleetSize, isDisabled, leafId } from './fleet.ts';
import { differences, registryState } from './registryState.ts';

export interface BadDrop {
  /** Devices that get wrong tags. */
  readonly tags: number;
  /** Devices that are deleted: two edge devices that have children and modules of a deployment, and others, with their modules. */
  readonly deletes: number;
  /** Devices that are disabled and get new keys. */
  readonly disables: number;
  /** Disabled devices are left alone: a hub does not show their modules singly, so that it has to be exported. */
  readonly enabledOnly?: boolean;
}

export interface UndoneDrop {
  readonly dropped: ProvisionRun;
  readonly undone: WorkRun;
  /** Between the registry before the drop and after it: that it did harm. */
  readonly harm: number;
  readonly differences: readonly string[];
}

/** Lines of somebody who has mixed up his files. */
function badLines({ tags, deletes, disables, enabledOnly = false }: BadDrop): object[] {
  const all = Array.from({ length: 2 * (tags + deletes + disables) }, (_, index) => index);
  const leaves = all.filter((index) => !enabledOnly || !isDisabled(index)).map(leafId);
  const deleted = [edgeId(0, 0), edgeId(1, 0), ...leaves.slice(0, deletes - 2)];
  const wrong = (index: number) => leaves[deletes + index];
  const key = (text: string) => createHash('sha256').update(`wrong ${text}`).digest('base64');
  return [
    ...deleted.map((id) => ({ id, importMode: 'delete' })),
    ...Array.from({ length: disables }, (_, index) => ({
      id: wrong(index),
      importMode: 'update',
      status: 'disabled',
      statusReason: 'by mistake',
      authentication: {
        type: 'sas',
        symmetricKey: { primaryKey: key(`${index} 1`), secondaryKey: key(`${index} 2`) },
      },
    })),
    ...Array.from({ length: tags }, (_, index) => ({
      id: wrong(disables + index),
      importMode: index % 2 === 0 ? 'update' : 'updateTwin',
      tags: { wrong: index },
    })),
  ];
}

/** Builds a fleet, harms it by a drop, and has that undone; compares by plain REST. */
export async function undoBadDrop(
  stack: TestStack,
  size: FleetSize,
  bad: BadDrop,
  timeoutMs?: number,
): Promise<UndoneDrop> {
  const container = await hubContainer(stack.blobs);
  await buildFleet(stack.rest, container, size);
  const before = await registryState(stack.rest, container);
  const lines = badLines(bad).map((line) => JSON.stringify(line));
  await stack.drop('bad/devices.txt', lines.join('\n'), { hubkeeper: 'test', confirm: hubNameOf(stack) });
  const dropped = await stack.finalRecord('bad/devices.txt', timeoutMs);
  expect(dropped, JSON.stringify(dropped.error)).toMatchObject({ state: 'completed' });
  const harm = differences(before, await registryState(stack.rest, container)).length;
  const undone = await doWork(stack, `runs/${dropped.runId}/undo`, { confirm: hubNameOf(stack) }, timeoutMs);
  return { dropped, undone, harm, differences: differences(before, await registryState(stack.rest, container)) };
}
