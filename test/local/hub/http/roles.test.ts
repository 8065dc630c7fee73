import { describe, expect, it } from 'vitest';

import { demandRole } from '../../../../local/hub/http/roles.ts';
import { OPERATIONS } from '../../../../local/hub/operations/table.ts';

describe('a role', () => {
  const allowed = (role: string) =>
    OPERATIONS.filter((operation) => {
      try {
        demandRole([role], operation);
        return true;
      } catch {
        return false;
      }
    }).map(({ name }) => name);

  it('allows what its name says', () => {
    expect(allowed('Owner')).toEqual([]);
    expect(allowed('IoT Hub Data Contributor')).toEqual(
      expect.arrayContaining(['putDevice', 'queryDevices', 'createJob']),
    );
    const reader = allowed('IoT Hub Data Reader');
    expect(reader).toEqual(expect.arrayContaining(['getDevice', 'queryDevices']));
    expect(reader.filter((name) => /^(put|delete|create|bulk|update|patch|replace|purge|apply)/.test(name))).toEqual(
      [],
    );
    expect(allowed('IoT Hub Registry Contributor')).not.toContain('queryDevices');
    expect(allowed('IoT Hub Twin Contributor')).not.toContain('putDevice');
  });
});
