/** The columns of a CSV file that are known: fields of a line, and keys of its twin. */

import type { CellKind } from './csvCells.ts';

/** In the order in which lines have their fields. `tags` and `properties.desired` are sections, see below. */
export const FIELDS: readonly (readonly [path: string, kind: CellKind])[] = [
  ['id', 'name'],
  ['moduleId', 'name'],
  ['eTag', 'name'],
  ['importMode', 'name'],
  ['status', 'name'],
  ['statusReason', 'text'],
  ['authentication.symmetricKey.primaryKey', 'name'],
  ['authentication.symmetricKey.secondaryKey', 'name'],
  ['authentication.x509Thumbprint.primaryThumbprint', 'name'],
  ['authentication.x509Thumbprint.secondaryThumbprint', 'name'],
  ['authentication.type', 'name'],
  ['twinETag', 'name'],
  ['tags', 'document'],
  ['properties.desired', 'document'],
  ['capabilities.iotEdge', 'boolean'],
  ['deviceScope', 'name'],
  ['parentScopes', 'document'],
  // No field of the hub's format: the device id of the edge parent.
  ['parent', 'parent'],
];
export const FIELD_BY_LOWER_CASE = new Map(FIELDS.map((field, order) => [field[0].toLowerCase(), { field, order }]));

/** Beginnings of columns of the twin. TAG: and PROPERTY: are what the export of IoT Hub Portal writes. */
const SECTIONS: readonly { readonly start: string; readonly section: string }[] = [
  { start: 'tags.', section: 'tags' },
  { start: 'tag:', section: 'tags' },
  { start: 'properties.desired.', section: 'properties.desired' },
  { start: 'property:', section: 'properties.desired' },
];

/** What a hub adds to the sections of a twin. */
export function ofHub(name: string): boolean {
  const section = sectionOf(name);
  return section !== undefined && /^\$(?:metadata|version)(?:\.|$)/i.test(name.slice(section.start.length));
}

export function sectionOf(name: string): (typeof SECTIONS)[number] | undefined {
  const lower = name.toLowerCase();
  return SECTIONS.find(({ start }) => lower.startsWith(start));
}
