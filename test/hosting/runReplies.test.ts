import { describe, expect, it } from 'vitest';

import { orDamaged } from '../../src/hosting/runReplies.ts';
import { RunDamaged } from '../../src/lib/runs/parseRunRecord.ts';

describe('a request about a run', () => {
  it('whose record is damaged is answered with 409, what happened and what to do', async () => {
    const runId = '0123456789abcdef0123';
    const reply = await orDamaged(() => Promise.reject(new RunDamaged(runId, 'it is not JSON')));
    expect(reply.status).toBe(409);
    expect(reply.jsonBody).toMatchObject({
      error: {
        code: 'recordDamaged',
        message: expect.stringContaining(`The record of run ${runId} cannot be read: it is not JSON.`),
        action: expect.stringContaining(`hubkeeper-runs/${runId}.json`),
      },
    });
  });

  it('is answered as it is otherwise, and an error of another kind stays one', async () => {
    expect(await orDamaged(async () => ({ status: 202 }))).toEqual({ status: 202 });
    await expect(orDamaged(() => Promise.reject(new Error('storage')))).rejects.toThrow('storage');
  });
});
