import { randomUUID } from 'node:crypto';
import { EntityId, OrchestrationRuntimeStatus } from 'durable-functions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EngineProcess, type InstanceStatus, startEngine } from './engineProcess.ts';

describe('The management API', () => {
  let engine: EngineProcess;

  beforeAll(async () => {
    engine = await startEngine();
  });

  afterAll(async () => {
    expect(await engine.stop()).toBe(0);
  });

  async function running(): Promise<string> {
    const instanceId = await engine.start('waitForEvent');
    await engine.until(instanceId, ({ runtimeStatus }) => runtimeStatus === 'Running');
    return instanceId;
  }

  async function codeOf(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<number> {
    return (await engine.call(method, path, body, headers)).status;
  }

  it('answers a start with the URLs that manage the instance', async () => {
    const response = await engine.call('POST', 'orchestrators/echoInput', { a: 1 });
    expect(response.status).toBe(202);
    expect(response.headers.get('retry-after')).toBe('10');
    const urls = (await response.json()) as Record<string, string>;
    expect(urls['id']).toMatch(/^[0-9a-f]{32}$/);
    expect(response.headers.get('location')).toBe(urls['statusQueryGetUri']);
    expect(Object.keys(urls).sort()).toEqual(
      [
        'id',
        'purgeHistoryDeleteUri',
        'restartPostUri',
        'resumePostUri',
        'rewindPostUri',
        'sendEventPostUri',
        'statusQueryGetUri',
        'suspendPostUri',
        'terminatePostUri',
      ].sort(),
    );
    const ended = await engine.untilEnded(urls['id'] ?? '');
    expect(ended).toEqual({
      name: 'echoInput',
      instanceId: urls['id'],
      runtimeStatus: 'Completed',
      input: { a: 1 },
      customStatus: null,
      output: { a: 1 },
      createdTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      lastUpdatedTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect((await fetch(urls['statusQueryGetUri'] ?? '')).status).toBe(200);
  });

  it('gives the orchestrator an empty string when the client library starts it without input', async () => {
    expect((await engine.run('echoInput')).output).toBe('');
  });

  it('gives the orchestrator null when the request has no body', async () => {
    const id = randomUUID();
    expect(await codeOf('POST', `orchestrators/echoInput/${id}`)).toBe(202);
    expect((await engine.untilEnded(id)).output).toBeNull();
  });

  it('completes an orchestrator that returns nothing with null', async () => {
    expect(await engine.run('returnNothing')).toMatchObject({ runtimeStatus: 'Completed', output: null });
  });

  it('asks to come back while an instance runs', async () => {
    const id = await running();
    const response = await engine.call('GET', `instances/${id}`);
    expect(response.status).toBe(202);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('location')).toBe(`${engine.webhook}/instances/${id}`);
  });

  it('refuses a start on a running instance with 409 and replaces a finished one', async () => {
    const id = await running();
    const response = await engine.call('POST', `orchestrators/waitForEvent/${id}`, {});
    expect(response.status).toBe(409);
    expect(await response.text()).toContain('An Orchestration instance with the status Running already exists.');
    await expect(engine.start('waitForEvent', 1, id)).rejects.toThrow('409');
    await engine.client.raiseEvent(id, 'finish', 'first');
    await engine.untilEnded(id);
    const again = await engine.run('echoInput', 'second', id);
    expect(again).toMatchObject({ name: 'echoInput', output: 'second' });
    const { historyEvents } = await engine.status(id, '?showHistory=true');
    expect(historyEvents?.map((event) => event['EventType'])).toEqual(['ExecutionStarted', 'ExecutionCompleted']);
  });

  it.each([
    ['a slash, encoded', 'a%2Fb', 404],
    ['a hash', 'a%23b', 400],
    ['a question mark', 'a%3Fb', 400],
    ['a leading @', '@a', 400],
    ['more than 256 characters', 'a'.repeat(257), 400],
  ])('refuses an instance id with %s', async (_name, id, code) => {
    expect(await codeOf('POST', `orchestrators/echoInput/${id}`, {})).toBe(code);
  });

  it('answers what is not there with 404', async () => {
    const id = randomUUID();
    expect(await codeOf('GET', `instances/${id}`)).toBe(404);
    expect(await codeOf('DELETE', `instances/${id}`)).toBe(404);
    expect(await codeOf('POST', `instances/${id}/raiseEvent/x`, 1)).toBe(404);
    expect(await codeOf('POST', `instances/${id}/terminate?reason=x`)).toBe(404);
    expect(await codeOf('POST', `instances/${id}/suspend?reason=x`)).toBe(404);
    expect(await codeOf('POST', `instances/${id}/resume?reason=x`)).toBe(404);
    expect(await codeOf('POST', `instances/${id}/rewind?reason=x`)).toBe(404);
    expect(await codeOf('GET', `instances/${id}/terminate`)).toBe(404);
    expect(await codeOf('GET', 'orchestrators/echoInput')).toBe(404);
    expect(await codeOf('GET', 'nonsense')).toBe(404);
    expect(await codeOf('GET', 'entities/counter/nobody')).toBe(404);
    await expect(engine.client.getStatus(id)).rejects.toThrow('404');
    await expect(engine.client.raiseEvent(id, 'x', 1)).rejects.toThrow(`No instance with ID '${id}' found.`);
    expect((await engine.client.purgeInstanceHistory(id)).instancesDeleted).toBe(0);
  });

  it('answers messages to a finished instance with 410', async () => {
    const { instanceId } = await engine.run('echoInput', 1);
    expect(await codeOf('POST', `instances/${instanceId}/raiseEvent/x`, 1)).toBe(410);
    expect(await codeOf('POST', `instances/${instanceId}/terminate?reason=x`)).toBe(410);
    expect(await codeOf('POST', `instances/${instanceId}/suspend?reason=x`)).toBe(410);
    expect(await codeOf('POST', `instances/${instanceId}/resume?reason=x`)).toBe(410);
    await engine.client.raiseEvent(instanceId, 'x', 1);
  });

  it('answers bodies that are no JSON with 400', async () => {
    expect(await codeOf('POST', 'orchestrators/echoInput', '{')).toBe(400);
    const id = await running();
    expect(await codeOf('POST', `instances/${id}/raiseEvent/finish`, '{')).toBe(400);
    expect(await codeOf('POST', `instances/${id}/raiseEvent/finish`, '1', { 'content-type': 'text/plain' })).toBe(400);
  });

  it('refuses another task hub by name', async () => {
    const response = await engine.call('GET', 'instances?taskHub=Other');
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('TestHub');
  });

  it('refuses to suspend twice and to resume a running instance', async () => {
    const id = await running();
    expect(await codeOf('POST', `instances/${id}/resume?reason=x`)).toBe(500);
    await engine.client.suspend(id, 'wait');
    await engine.until(id, ({ runtimeStatus }) => runtimeStatus === 'Suspended');
    expect(await codeOf('POST', `instances/${id}/suspend?reason=x`)).toBe(500);
    expect(await codeOf('POST', `orchestrators/echoInput/${id}`, {})).toBe(409);
    await engine.client.terminate(id, 'done');
    expect(await engine.untilEnded(id)).toMatchObject({ runtimeStatus: 'Terminated', output: 'done' });
  });

  it('purges finished instances only', async () => {
    const id = await running();
    expect(await codeOf('DELETE', `instances/${id}`)).toBe(412);
    await engine.client.terminate(id, 'done');
    await engine.untilEnded(id);
    expect(await engine.client.purgeInstanceHistory(id)).toMatchObject({ instancesDeleted: 1 });
    expect(await codeOf('GET', `instances/${id}`)).toBe(404);
  });

  it('knows rewind by name, for failed instances only', async () => {
    const { instanceId } = await engine.run('failing', 'x');
    await expect(engine.client.rewind(instanceId, 'again')).rejects.toThrow(
      'Rewind is not supported by the local Durable engine',
    );
    const good = await engine.run('echoInput', 1);
    expect(await codeOf('POST', `instances/${good.instanceId}/rewind?reason=x`)).toBe(412);
  });

  it('restarts an instance with its input, under a new id or its own', async () => {
    const { instanceId } = await engine.run('echoInput', { a: 1 });
    const response = await engine.call('POST', `instances/${instanceId}/restart`);
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    expect(id).not.toBe(instanceId);
    expect((await engine.untilEnded(id)).output).toEqual({ a: 1 });
    expect(await codeOf('POST', `instances/${instanceId}/restart?restartWithNewInstanceId=false`)).toBe(202);
    expect((await engine.untilEnded(instanceId)).output).toEqual({ a: 1 });
    expect(await codeOf('POST', `instances/${await running()}/restart?restartWithNewInstanceId=false`)).toBe(409);
    expect(await codeOf('POST', `instances/${randomUUID()}/restart`)).toBe(400);
  });

  it('waits for the result when a start asks for it', async () => {
    const done = await engine.call('POST', 'orchestrators/sequence?timeout=10&pollingInterval=1', ['a']);
    expect([done.status, await done.json()]).toEqual([200, ['a']]);
    const failed = await engine.call('POST', 'orchestrators/failing?timeout=10&pollingInterval=1', '"x"');
    expect(await failed.json()).toMatchObject({ runtimeStatus: 'Failed' });
    const late = await engine.call('POST', 'orchestrators/waitForEvent?timeout=0.1&pollingInterval=0.1', {});
    expect(late.status).toBe(202);
    expect(late.headers.get('location')).toContain('/instances/');
  });

  it('answers a failed instance with 500 only on request', async () => {
    const { instanceId } = await engine.run('failing', 'x');
    expect(await codeOf('GET', `instances/${instanceId}`)).toBe(200);
    expect(await codeOf('GET', `instances/${instanceId}?returnInternalServerErrorOnFailure=true`)).toBe(500);
  });

  it('tells the history with inputs and outputs as asked', async () => {
    const { instanceId } = await engine.run('sequence', ['a']);
    const plain = await engine.status(instanceId, '?showHistory=true&showInput=false');
    expect(plain.input).toBeNull();
    expect(plain.historyEvents).toEqual([
      { EventType: 'ExecutionStarted', Timestamp: expect.any(String), FunctionName: 'sequence' },
      {
        EventType: 'TaskCompleted',
        Timestamp: expect.any(String),
        ScheduledTime: expect.any(String),
        FunctionName: 'echo',
      },
      { EventType: 'ExecutionCompleted', OrchestrationStatus: 'Completed', Timestamp: expect.any(String) },
    ]);
    const full = await engine.status(instanceId, '?showHistory=true&showHistoryOutput=true');
    expect(full.historyEvents?.[1]).toMatchObject({ Result: 'a', Input: ['"a"'] });
    expect(full.historyEvents?.[2]).toMatchObject({ Result: ['a'] });
  });
});

describe('Lists of the management API', () => {
  let engine: EngineProcess;
  const ids = ['list-a', 'list-b', 'list-c', 'list-d', 'other-a'];

  beforeAll(async () => {
    engine = await startEngine();
    for (const id of ids) {
      await (id.startsWith('list') ? engine.run('echoInput', id, id) : engine.start('waitForEvent', 1, id));
    }
    await engine.until('other-a', ({ runtimeStatus }) => runtimeStatus === 'Running');
  });

  afterAll(async () => {
    expect(await engine.stop()).toBe(0);
  });

  it('go over as many pages as it takes', async () => {
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const response = await engine.call('GET', 'instances?top=2', undefined, {
        ...(token !== undefined && { 'x-ms-continuation-token': token }),
      });
      const page = (await response.json()) as InstanceStatus[];
      expect(page.length).toBeLessThanOrEqual(2);
      seen.push(...page.map(({ instanceId }) => instanceId));
      token = response.headers.get('x-ms-continuation-token') ?? undefined;
    } while (token !== undefined);
    expect(seen).toEqual(ids);
  });

  it('filter by prefix, status and time', async () => {
    const idsOf = async (query: string) =>
      ((await (await engine.call('GET', `instances${query}`)).json()) as InstanceStatus[]).map(
        (each) => each.instanceId,
      );
    expect(await idsOf('?instanceIdPrefix=list-')).toEqual(ids.slice(0, 4));
    expect(await idsOf('/?runtimeStatus=Running,Pending')).toEqual(['other-a']);
    expect(await idsOf('/?createdTimeFrom=2100-01-01T00:00:00Z')).toEqual([]);
    expect(await engine.client.getStatusAll()).toHaveLength(5);
    const running = await engine.client.getStatusBy({ runtimeStatus: [OrchestrationRuntimeStatus.Running] });
    expect(running.map((status) => status.instanceId)).toEqual(['other-a']);
  });

  it('show entities by name, with their state on request', async () => {
    await engine.client.signalEntity(new EntityId('Counter', 'k1'), 'add', 1);
    await engine.client.signalEntity(new EntityId('Counter', 'k2'), 'add', 2);
    await engine.client.signalEntity(new EntityId('list', 'k3'), 'push', 3);
    const list = async (query: string) =>
      (await (await engine.call('GET', `entities/Counter${query}`)).json()) as unknown[];
    await expect.poll(() => list('')).toHaveLength(2);
    expect(await list('?fetchState=true')).toEqual([
      { entityId: { name: 'counter', key: 'k1' }, lastOperationTime: expect.any(String), state: 1 },
      { entityId: { name: 'counter', key: 'k2' }, lastOperationTime: expect.any(String), state: 2 },
    ]);
    expect((await engine.call('POST', 'entities/nosuch/k?op=x')).status).toBe(400);
    expect((await engine.call('DELETE', 'instances/@counter@k1')).status).toBe(200);
    expect(await list('')).toHaveLength(1);
  });

  it('are what a purge by filter goes over', async () => {
    expect((await engine.call('DELETE', 'instances?runtimeStatus=Completed')).status).toBe(400);
    const purge = () =>
      engine.client.purgeInstanceHistoryBy({
        createdTimeFrom: new Date(0),
        runtimeStatus: [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Running],
      });
    expect(await purge()).toMatchObject({ instancesDeleted: 4 });
    expect(await purge()).toMatchObject({ instancesDeleted: 0 });
    expect(await engine.status('other-a')).toMatchObject({ runtimeStatus: 'Running' });
  });
});
