import type { HttpRequest } from '@azure/functions';

/** The body of a request, parsed: an empty one is an object without members, and what is no JSON is undefined. */
export async function readBody(request: HttpRequest): Promise<unknown> {
  const text = await request.text();
  try {
    return text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}
