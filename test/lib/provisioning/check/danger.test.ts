import { describe, expect, test } from 'vitest';

import {
  type DangerCounts,
  dangerText,
  isDangerous,
  unconfirmedDanger,
  unconfirmedHaste,
} from '../../../../src/lib/provisioning/check/danger.ts';
import { DEFAULT_OPTIONS, type ProvisionOptions } from '../../../../src/lib/provisioning/run/options.ts';
import type { RegistryClient } from '../../../../src/lib/registry/index.ts';

const counts = (deleted: number, deletedModules = 0, disabled = 0): DangerCounts => ({
  effects: { deleted },
  deletedModules,
  disabled,
});

interface DangerRow {
  readonly name: string;
  readonly given: { readonly dangerous: number; readonly devices: number };
  readonly expected: boolean;
}

// More than 100, and more than a tenth of the registry.
describe('deletes and disables', () => {
  test.for<DangerRow>([
    { name: 'none are no danger', given: { dangerous: 0, devices: 0 }, expected: false },
    { name: 'a hundred never are, of however few', given: { dangerous: 100, devices: 0 }, expected: false },
    { name: 'a hundred never are, of a hundred', given: { dangerous: 100, devices: 100 }, expected: false },
    { name: 'one more is', given: { dangerous: 101, devices: 101 }, expected: true },
    { name: 'one more is, of a registry of modules alone', given: { dangerous: 101, devices: 0 }, expected: true },
    { name: 'one more is none where it is a tenth', given: { dangerous: 101, devices: 1_010 }, expected: false },
    { name: 'one more is where it is more than a tenth', given: { dangerous: 101, devices: 1_009 }, expected: true },
    { name: 'a thousand are none of ten thousand', given: { dangerous: 1_000, devices: 10_000 }, expected: false },
    { name: 'a thousand and one are', given: { dangerous: 1_001, devices: 10_000 }, expected: true },
    { name: 'a tenth of an odd number is counted exactly', given: { dangerous: 103, devices: 1_030 }, expected: false },
    { name: 'a tenth of a million is none', given: { dangerous: 100_000, devices: 1_000_000 }, expected: false },
    { name: 'one more than that is', given: { dangerous: 100_001, devices: 1_000_000 }, expected: true },
  ])('$name', ({ given: { dangerous, devices }, expected }) => {
    expect(isDangerous(dangerous, devices)).toBe(expected);
  });
});

describe('what a file would do', () => {
  test.for<{ readonly name: string; readonly given: DangerCounts; readonly expected: string }>([
    { name: 'deletes', given: counts(1_234), expected: "delete 1,234 of the hub's 5,000 devices" },
    {
      name: 'deletes of devices and modules',
      given: counts(1_234, 34),
      expected: "delete 1,200 of the hub's 5,000 devices and delete 34 modules",
    },
    {
      name: 'deletes, disables, and one module',
      given: counts(1_201, 1, 2),
      expected: "delete 1,200 and disable 2 of the hub's 5,000 devices and delete 1 module",
    },
    { name: 'disables alone', given: counts(0, 0, 600), expected: "disable 600 of the hub's 5,000 devices" },
    {
      name: 'disables, and deletes of modules',
      given: counts(1_200, 1_200, 600),
      expected: "disable 600 of the hub's 5,000 devices and delete 1,200 modules",
    },
    {
      name: 'deletes of modules alone',
      given: counts(700, 700),
      expected: "delete 700 modules of the hub's 5,000 devices",
    },
  ])('$name', ({ given, expected }) => {
    expect(dangerText(given, 5_000)).toBe(expected);
  });

  test('of a hub with one device is told in the singular', () => {
    expect(dangerText(counts(101, 100), 1)).toBe("delete 1 of the hub's 1 device and delete 100 modules");
  });
});

interface StopRow {
  readonly name: string;
  readonly given: {
    /** Lines that would delete, and that would disable, if all that they name existed. */
    readonly deletes: number;
    readonly disables: number;
    readonly devices: number;
    /** What they meet. */
    readonly found?: DangerCounts;
    readonly confirm?: string;
  };
  readonly expected: {
    /** What the refusal tells; undefined: the file may go on. */
    readonly stops?: string;
    /** Whether the registry is counted, and whether the file is compared with it. */
    readonly counted: boolean;
    readonly compared: boolean;
  };
}

describe('a file that deletes and disables', () => {
  const UNSEEN = { counted: false, compared: false };
  const COUNTED = { counted: true, compared: false };
  const SEEN = { counted: true, compared: true };
  const MANY = { deletes: 500, disables: 0, devices: 4_000, found: counts(500) };
  test.for<StopRow>([
    { name: 'little is not looked at', given: { deletes: 60, disables: 40, devices: 50 }, expected: UNSEEN },
    { name: 'nothing is not looked at', given: { deletes: 0, disables: 0, devices: 0 }, expected: UNSEEN },
    {
      name: 'a small part of the registry is not compared with it',
      given: { deletes: 500, disables: 0, devices: 5_000 },
      expected: COUNTED,
    },
    {
      name: 'much goes on where little of it exists',
      given: { ...MANY, found: counts(3) },
      expected: SEEN,
    },
    {
      name: 'much goes on where a tenth exists',
      given: { ...MANY, found: counts(400) },
      expected: SEEN,
    },
    {
      name: 'much goes on where nearly all is disabled already',
      given: { deletes: 0, disables: 3_000, devices: 4_000, found: counts(0, 0, 7) },
      expected: SEEN,
    },
    {
      name: 'more than a tenth is stopped',
      given: { ...MANY, found: counts(401) },
      expected: { ...SEEN, stops: "delete 401 of the hub's 4,000 devices: nothing was sent to the hub." },
    },
    {
      name: 'more than a tenth together is stopped, modules as well',
      given: { deletes: 500, disables: 300, devices: 4_000, found: counts(450, 50, 20) },
      expected: {
        ...SEEN,
        stops: "delete 400 and disable 20 of the hub's 4,000 devices and delete 50 modules: nothing",
      },
    },
    {
      name: 'more than a tenth is stopped where neither deletes nor disables are as many',
      given: { deletes: 300, disables: 200, devices: 4_000, found: counts(300, 0, 200) },
      expected: { ...SEEN, stops: "delete 300 and disable 200 of the hub's 4,000 devices: nothing" },
    },
    { name: 'much goes on with the name of the hub', given: { ...MANY, confirm: 'factory' }, expected: UNSEEN },
    { name: 'much goes on with that name in other case', given: { ...MANY, confirm: 'FACTORY' }, expected: UNSEEN },
    {
      name: 'much is stopped with another name, and that is said',
      given: { ...MANY, confirm: 'mill' },
      expected: { ...SEEN, stops: 'The name that was given does not match.' },
    },
    {
      name: 'much is stopped with a part of the name',
      given: { ...MANY, confirm: 'fact' },
      expected: { ...SEEN, stops: 'The name that was given does not match.' },
    },
    {
      name: 'much is stopped with the name of the host',
      given: { ...MANY, confirm: 'factory.azure-devices.net' },
      expected: { ...SEEN, stops: 'The name that was given does not match.' },
    },
  ])('$name', async ({ given: { deletes, disables, devices, found = counts(0), confirm }, expected }) => {
    const looked = { counted: false, compared: false };
    const hub = {
      hubName: 'factory',
      async getRegistryStatistics() {
        looked.counted = true;
        return { totalDeviceCount: devices };
      },
    } as unknown as RegistryClient;
    const options = { ...DEFAULT_OPTIONS, ...(confirm === undefined ? {} : { confirm }) };
    const error = await unconfirmedDanger(hub, { deletes, disables }, options, async () => {
      looked.compared = true;
      return found;
    });
    const { stops, ...looks } = expected;
    expect(looked).toEqual(looks);
    if (stops === undefined) expect(error).toBeUndefined();
    else {
      expect(error).toEqual({
        code: 'confirmationNeeded',
        message: expect.stringContaining(stops),
        action: 'If you mean it, drop the file again with the option confirm set to the name of the hub, factory.',
        confirm: 'factory',
      });
    }
  });
});

interface HasteRow {
  readonly name: string;
  readonly given: Partial<ProvisionOptions>;
  readonly expected: 'stopped' | 'goes on';
}

describe('a run without a copy of what it overwrites', () => {
  const hub = { hubName: 'factory' } as unknown as RegistryClient;
  test.for<HasteRow>([
    { name: 'is stopped', given: { backupFirst: 'never' }, expected: 'stopped' },
    { name: 'is stopped with another name', given: { backupFirst: 'never', confirm: 'mill' }, expected: 'stopped' },
    {
      name: 'goes on with the name of the hub',
      given: { backupFirst: 'never', confirm: 'factory' },
      expected: 'goes on',
    },
    {
      name: 'goes on with that name in other case',
      given: { backupFirst: 'never', confirm: 'Factory' },
      expected: 'goes on',
    },
    { name: 'is none where a copy is taken', given: {}, expected: 'goes on' },
    { name: 'is none where a copy is taken, whatever name is given', given: { confirm: 'mill' }, expected: 'goes on' },
  ])('$name', ({ given, expected }) => {
    const error = unconfirmedHaste(hub, { ...DEFAULT_OPTIONS, ...given });
    expect(error === undefined ? 'goes on' : 'stopped').toBe(expected);
    if (error === undefined) return;
    expect(error).toMatchObject({ code: 'confirmationNeeded', confirm: 'factory' });
    expect(error.message.includes('The name that was given does not match.')).toBe(given.confirm !== undefined);
  });
});
