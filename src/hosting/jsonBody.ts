import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { flagMember, type RequestMember, readRequest, textMember } from '../lib/work/request.ts';
import { readBody } from './readBody.ts';
import { refusalOf } from './workReplies.ts';

/** What a member of a body has to be. */
export type BodyMember = 'text' | 'boolean';

type BodyOf<Members extends Readonly<Record<string, BodyMember>>> = {
  readonly [Name in keyof Members]?: Members[Name] extends 'text' ? string : boolean;
};

const MEMBERS: Readonly<Record<BodyMember, RequestMember>> = { text: textMember, boolean: flagMember };

/** The body of a request, whose members may all be left out, and so may the body itself; or the reply that refuses it. */
export async function jsonBody<const Members extends Readonly<Record<string, BodyMember>>>(
  request: HttpRequest,
  members: Members,
): Promise<{ readonly body: BodyOf<Members> } | { readonly refused: HttpResponseInit }> {
  const wanted = Object.fromEntries(Object.entries(members).map(([name, member]) => [name, MEMBERS[member]]));
  const body = await readBody(request);
  try {
    return { body: readRequest<BodyOf<Members>>(body, wanted, []) };
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === undefined) throw error;
    return { refused };
  }
}
