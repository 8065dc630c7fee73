import { describe, expect, it } from 'vitest';

import {
  type DangerCounts,
  dangerText,
  isDangerous,
  unconfirmedDanger,
  unconfirmedHaste,
} from '../../../../src/lib/provisioning/check/danger.ts';
import { DEFAULT_OPTIONS } from '../../../../src/lib/provisioning/run/options.ts';
import type { RegistryClient } from '../../../../src/lib/registry/index.ts';

const counts = (deleted: number, deletedModules = 0, disabled = 0): DangerCounts => ({
  effects: { deleted },
  deletedModules,
  disabled,
});

describe('deletes and disables are dangerous', () => {
  it.each([
    [100, 0, false],
    [101, 0, true],
    [101, 1_010, false],
    [101, 1_009, true],
    [1_000, 10_000, false],
    [1_001, 10_000, true],
  ])('%i of %i devices: %s', (dangerous, devices, expected) => {
    expect(isDangerous(dangerous, devices)).toBe(expected);
  });
});

describe('a file that is stopped', () => {
  it.each<[DangerCounts, string]>([
    [counts(1_234), "delete 1,234 of the hub's 5,000 devices"],
    [counts(1_234, 34), "delete 1,200 of the hub's 5,000 devices and delete 34 modules"],
    [counts(1_201, 1, 2), "delete 1,200 and disable 2 of the hub's 5,000 devices and delete 1 module"],
    [counts(0, 0, 600), "disable 600 of the hub's 5,000 devices"],
    [counts(700, 700), "delete 700 modules of the hub's 5,000 devices"],
  ])('of %j would %s', (given, text) => {
    expect(dangerText(given, 5_000)).toBe(text);
  });

  const ask = async (
    check: { deletes: number; disables: number },
    devices: number,
    found: DangerCounts,
    confirm?: string,
  ) => {
    let asked = 0;
    let compared = 0;
    const hub = {
      hubName: 'factory',
      async getRegistryStatistics() {
        asked += 1;
        return { totalDeviceCount: devices };
      },
    } as unknown as RegistryClient;
    const options = { ...DEFAULT_OPTIONS, ...(confirm === undefined ? {} : { confirm }) };
    const error = await unconfirmedDanger(hub, check, options, async () => {
      compared += 1;
      return found;
    });
    return { error, asked, compared };
  };

  it('is judged by what exists, and looked at no closer than needed', async () => {
    // Few: nobody is asked. Many, but a small part even if all exist: nothing is compared.
    expect(await ask({ deletes: 60, disables: 40 }, 50, counts(100))).toEqual({
      error: undefined,
      asked: 0,
      compared: 0,
    });
    expect(await ask({ deletes: 500, disables: 0 }, 5_000, counts(500))).toEqual({
      error: undefined,
      asked: 1,
      compared: 0,
    });
    expect(await ask({ deletes: 500, disables: 0 }, 4_000, counts(3))).toEqual({
      error: undefined,
      asked: 1,
      compared: 1,
    });
    const { error } = await ask({ deletes: 500, disables: 300 }, 4_000, counts(450, 50, 20));
    expect(error).toEqual({
      code: 'confirmationNeeded',
      message:
        "The file would delete 400 and disable 20 of the hub's 4,000 devices and delete 50 modules: nothing was sent to the hub.",
      action: 'If you mean it, drop the file again with the option confirm set to the name of the hub, factory.',
      confirm: 'factory',
    });
  });

  it('goes on with the name of the hub, and with no other', async () => {
    expect((await ask({ deletes: 500, disables: 0 }, 4_000, counts(500), 'Factory')).error).toBeUndefined();
    expect((await ask({ deletes: 500, disables: 0 }, 4_000, counts(500), 'mill')).error?.message).toContain(
      'The name given is another.',
    );
  });
});

describe('a run without a copy', () => {
  const hub = { hubName: 'factory' } as unknown as RegistryClient;
  const never = { ...DEFAULT_OPTIONS, backupFirst: 'never' } as const;

  it('is stopped until it is confirmed with the name of the hub, in any case of its letters', () => {
    expect(unconfirmedHaste(hub, never)).toMatchObject({ code: 'confirmationNeeded', confirm: 'factory' });
    expect(unconfirmedHaste(hub, { ...never, confirm: 'mill' })).toMatchObject({ confirm: 'factory' });
    expect(unconfirmedHaste(hub, { ...never, confirm: 'Factory' })).toBeUndefined();
    expect(unconfirmedHaste(hub, DEFAULT_OPTIONS)).toBeUndefined();
  });
});
