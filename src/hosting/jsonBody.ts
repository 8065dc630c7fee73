import type { HttpRequest, HttpResponseInit } from '@azure/functions';

import { apiError } from './apiTexts.ts';

/** What a member of a body has to be. */
export type BodyMember = 'text' | 'boolean';

type BodyOf<Members extends Readonly<Record<string, BodyMember>>> = {
  readonly [Name in keyof Members]?: Members[Name] extends 'text' ? string : boolean;
};

/** The body of a request, whose members may all be left out, and so may the body itself; or the reply that refuses it. */
export async function jsonBody<const Members extends Readonly<Record<string, BodyMember>>>(
  request: HttpRequest,
  members: Members,
): Promise<{ readonly body: BodyOf<Members> } | { readonly refused: HttpResponseInit }> {
  const text = (await request.text()).trim();
  const body = text === '' ? {} : parsed(text);
  const isFit =
    body !== undefined &&
    Object.entries(body).every(([name, value]) => {
      const wanted = Object.hasOwn(members, name) ? members[name] : undefined;
      return wanted !== undefined && typeof value === (wanted === 'text' ? 'string' : 'boolean');
    });
  if (isFit) return { body: body as BodyOf<Members> };
  const names = Object.entries(members).map(([name, member]) => `${name} (${member})`);
  return { refused: apiError('bodyInvalid', [{ members: names.join(', ') }]) };
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
