/** What is asked of work: read from whatever was sent, and from records. */

import type { RegistryClient } from '../registry/index.ts';
import { isConfirmedBy, wrongNameText } from '../runs/confirmed.ts';
import { isObject } from '../runs/recordShape.ts';
import { workError } from './workErrors.ts';
import { WorkRefused } from './workRefused.ts';
import type { WorkRun } from './workRun.ts';

/** What is wrong with a member, as in "must be a text"; undefined: nothing. */
export type RequestMember = (value: unknown) => string | undefined;

const LONGEST_TEXT = 1_024;

export const textMember: RequestMember = (value) =>
  typeof value === 'string' && value.length <= LONGEST_TEXT ? undefined : 'a text';

export const flagMember: RequestMember = (value) => (typeof value === 'boolean' ? undefined : 'true or false');

export const countMember: RequestMember = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : 'a whole number, 0 or more';

/**
 * Reads a body that has these members at most.
 *
 * @throws WorkRefused
 */
export function readRequest<Request>(
  body: unknown,
  members: Readonly<Record<string, RequestMember>>,
  required: readonly string[],
): Request {
  if (!isObject(body)) throw invalidRequest('its body is no JSON object');
  for (const [name, value] of Object.entries(body)) {
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    // What it is called may be anything, even a key by mistake.
    if (member === undefined)
      throw invalidRequest(`it has a member that is none of ${Object.keys(members).join(', ')}`);
    const problem = member(value);
    if (problem !== undefined) throw invalidRequest(`"${name}" must be ${problem}`);
  }
  const missing = required.find((name) => body[name] === undefined);
  if (missing !== undefined) throw invalidRequest(`"${missing}" is missing`);
  return body as unknown as Request;
}

export function invalidRequest(problem: string): WorkRefused {
  return new WorkRefused(workError('requestInvalid', { problem }));
}

/** What a record of work was asked for. */
export function requestOf<Request>({ request }: Pick<WorkRun, 'request'>): Request {
  return request as unknown as Request;
}

/** @throws WorkRefused when the hub is not confirmed by its name */
export function demandConfirmed({ hubName: hub }: Pick<RegistryClient, 'hubName'>, confirm: string | undefined): void {
  if (isConfirmedBy({ hubName: hub }, confirm)) return;
  throw new WorkRefused({ ...workError('notConfirmed', { hub, given: wrongNameText(confirm) }), confirm: hub });
}
