/** Where a row stands among the rows of all hubs, and the text that a reader goes on from. */

import { defined } from '../../defined.ts';
import type { MirrorRow } from '../rows/row.ts';

export interface Place {
  readonly deviceId: string;
  /** Of the row itself: that of a device has `''`. Absent: behind all rows of the device. */
  readonly moduleId?: string;
  /** Absent: behind the rows of all hubs. */
  readonly hub?: string;
}

type Placed = Pick<MirrorRow, 'hub' | 'deviceId' | 'moduleId'>;

/** By device id, then hub, then module: a device before its modules, in the order of the codes of characters. */
export function compareRows(a: Placed, b: Placed): number {
  return compare(a.deviceId, b.deviceId) || compare(a.hub, b.hub) || compare(a.moduleId ?? '', b.moduleId ?? '');
}

/** Whether a row of the same device comes after a place. */
export function isBehind(row: Placed, { hub, moduleId }: Place): boolean {
  if (moduleId === undefined) return false;
  if (hub === undefined) return compare(row.moduleId ?? '', moduleId) > 0;
  return (compare(row.hub, hub) || compare(row.moduleId ?? '', moduleId)) > 0;
}

/**
 * `ID` where that says it all; else `ID/MODULE` or `ID/MODULE/HUB`, without a module of the device itself. No id holds a
 * slash.
 */
export function placeText({ deviceId, moduleId, hub }: Place): string {
  return [deviceId, moduleId, hub].filter((part) => part !== undefined).join('/');
}

/** The place that a text names, if it names one. */
export function parsePlace(text: string): Place | undefined {
  const [deviceId = '', moduleId, hub, ...more] = text.split('/');
  if (deviceId === '' || hub === '' || more.length > 0) return undefined;
  return { deviceId, ...defined({ moduleId, hub }) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
