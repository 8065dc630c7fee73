import { expect } from 'vitest';

import { mergeReading } from '../../../../src/lib/mirror/rows/mergeReading.ts';
import { type IdentityKey, keyText, type MirrorRow } from '../../../../src/lib/mirror/rows/row.ts';
import type { RegistryModel } from '../../../helpers/registryModel.ts';
import type { SeededRandom } from '../../../scenarios/seededRandom.ts';

/** One random operation on one of so many devices or their modules. */
export function operate(registry: RegistryModel, random: SeededRandom, devices: number): void {
  registry.pass(random.chance(0.3) ? 0 : random.chance(0.002) ? 20 * 60_000 : random.int(1, 40));
  const device = { deviceId: `d${random.int(1, devices)}` };
  const patch = () => ({ [`k${random.int(0, 2)}`]: random.chance(0.3) ? null : random.int(0, 2) });
  if (!registry.isThere(device)) registry.create(device, { tags: { born: registry.nowMs() } });
  else if (random.chance(0.12)) registry.remove(device);
  else if (random.chance(0.3)) operateModule(registry, random, { ...device, moduleId: `m${random.int(1, 2)}` });
  else if (random.chance(0.1)) {
    registry.setIdentity(device, {
      status: random.pick(['enabled', 'disabled']),
      edge: false,
      parent: `e${random.int(1, 3)}`,
    });
  } else if (random.chance(0.2)) registry.replace(device, { tags: { whole: random.int(0, 9) } });
  else registry.patch(device, { tags: patch(), ...(random.chance(0.3) ? { desired: patch() } : {}) });
}

function operateModule(registry: RegistryModel, random: SeededRandom, module: IdentityKey): void {
  if (!registry.isThere(module)) registry.create(module, {});
  else if (random.chance(0.3)) registry.remove(module);
  else registry.patch(module, { desired: { n: random.int(0, 9) } });
}

/** That rows hold what the registry does, and after an export of it also what no event tells. */
export function expectMirrored(mirrored: readonly MirrorRow[], registry: RegistryModel, nowIso: string): void {
  const rows = new Map(mirrored.map((row) => [keyText(row), row]));
  for (const key of registry.keys()) {
    const reading = registry.get(key);
    const row = rows.get(keyText(key));
    const shown = { key: keyText(key), state: row?.state, twin: row?.twin };
    if (reading === 'absent') {
      // Of a module that came and went with its device there need not be a row.
      expect(row?.state ?? 'deleted', keyText(key)).toBe('deleted');
      continue;
    }
    expect(shown).toEqual({ key: keyText(key), state: 'present', twin: reading.twin });
    expect(row?.identity && registry.everWas(key, row.identity), `identity of ${keyText(key)}`).toBe(true);
    const { version: _, ...twin } = reading.twin;
    const how = { hub: 'default', ...key, by: 'export', begunAt: nowIso, nowIso } as const;
    const exported = mergeReading(row, { identity: reading.identity, twin }, how) ?? row;
    expect(exported).toMatchObject({ identity: reading.identity, twin: reading.twin });
  }
}
