import { createHash } from 'node:crypto';
import { HubError } from '../http/hubError.ts';
import { parseQuery, type Query } from '../query/parseQuery.ts';
import { type Continuation, runQuery } from '../query/runQuery.ts';
import { QuerySyntaxError } from '../query/tokens.ts';
import { isJsonObject } from '../twin/twinLimits.ts';
import type { Operation, OperationRequest } from './operation.ts';

const MAX_QUERY = 8192;

/** Queries over twins. Jobs (`FROM devices.jobs`) are not simulated. */
export const queryDevices: Operation = {
  name: 'queryDevices',
  method: 'POST',
  path: '/devices/query',
  right: 'ServiceConnect',
  throttle: { kind: 'queries' },
  handle: async (hub, request) => {
    const text = isJsonObject(request.body) ? request.body.query : undefined;
    if (typeof text !== 'string') throw new HubError('ArgumentInvalid', 'BadRequest: the body needs a query.');
    if (text.length > MAX_QUERY) {
      throw new HubError('ArgumentInvalid', `BadRequest: a query may have ${MAX_QUERY} characters.`);
    }
    const query = parsed(text);
    if (query.source === 'devices.jobs') {
      throw new HubError('InvalidOperation', 'This simulator has no scheduled jobs: devices.jobs cannot be queried.');
    }
    const page = await runQuery({
      store: hub.store,
      consistency: hub.consistency,
      query,
      pageSize: pageSize(request, hub.settings.pageMax),
      from: readContinuation(request, text),
    });
    const headers = {
      'x-ms-item-type': page.itemType,
      ...(page.continuation && { 'x-ms-continuation': writeContinuation(page.continuation, text) }),
    };
    return { status: 200, headers, body: page.items };
  },
};

function parsed(text: string): Query {
  try {
    return parseQuery(text);
  } catch (error) {
    // The live hub answers a bare BadRequest; where it stopped helps whoever tests against the simulator.
    if (error instanceof QuerySyntaxError) throw new HubError('ArgumentInvalid', `BadRequest: ${error.message}`);
    throw error;
  }
}

function pageSize(request: OperationRequest, max: number): number {
  const header = request.headers['x-ms-max-item-count'];
  if (header === undefined || header === '') return max;
  const wanted = Number(header);
  if (!Number.isInteger(wanted) || wanted < -1 || wanted === 0) {
    throw new HubError('ArgumentInvalid', 'x-ms-max-item-count must be a positive whole number.');
  }
  return wanted === -1 ? max : Math.min(wanted, max);
}

function writeContinuation(continuation: Continuation, query: string): string {
  const { after, given } = continuation;
  return Buffer.from(JSON.stringify([digest(query), after, given])).toString('base64');
}

function readContinuation(request: OperationRequest, query: string): Continuation {
  const header = request.headers['x-ms-continuation'];
  if (typeof header !== 'string' || header === '') return { after: 0, given: 0 };
  const invalid = new HubError(
    'ArgumentInvalid',
    'x-ms-continuation is not the token of an earlier page of this query.',
  );
  try {
    const [hash, after, given] = JSON.parse(Buffer.from(header, 'base64').toString());
    if (hash !== digest(query) || !Number.isInteger(after) || !Number.isInteger(given)) throw invalid;
    return { after, given };
  } catch {
    throw invalid;
  }
}

function digest(query: string): string {
  return createHash('sha256').update(query).digest('base64').slice(0, 12);
}
