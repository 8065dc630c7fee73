import type { HttpRequest } from '@azure/functions';
import { describe, expect, it } from 'vitest';

import { answerAbout } from '../../src/hosting/runReplies.ts';
import { RunDamaged } from '../../src/lib/runs/parseRunRecord.ts';

const runId = '0123456789abcdef0123';
const about = (id: string) => ({ params: { runId: id } }) as unknown as HttpRequest;

describe('a request about a run', () => {
  it('whose record is damaged is answered with 409, what happened and what to do', async () => {
    const reply = await answerAbout(about(runId), () => Promise.reject(new RunDamaged(runId, 'it is not JSON')));
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
    expect(await answerAbout(about(runId), async (id) => ({ status: 202, body: id }))).toEqual({
      status: 202,
      body: runId,
    });
    await expect(answerAbout(about(runId), () => Promise.reject(new Error('storage')))).rejects.toThrow('storage');
  });

  it.each(['', 'x', '../0123456789abcdef01'])('whose id can be none goes no further: %j', async (id) => {
    const reply = await answerAbout(about(id), () => Promise.reject(new Error('asked')));
    expect(reply).toMatchObject({ status: 400, jsonBody: { error: { code: 'runIdInvalid' } } });
  });
});
