import type { InvocationResult, TypedData } from '../contracts.ts';

/** JSON text of what a function returned; the text of null when it returned nothing. */
export function jsonOfResult(result: InvocationResult): string {
  return result.returnValue === undefined ? 'null' : jsonOfTypedData(result.returnValue);
}

/** A string stays a string: it comes out quoted. Bytes become base64, as .NET writes them. */
function jsonOfTypedData(data: TypedData): string {
  if (data.json !== undefined) {
    return data.json;
  }
  if (data.bytes !== undefined) {
    return JSON.stringify(Buffer.from(data.bytes).toString('base64'));
  }
  const value =
    data.string ??
    data.int ??
    data.double ??
    data.collectionString?.string ??
    data.collectionBytes?.bytes.map((each) => Buffer.from(each).toString('base64')) ??
    data.collectionSint64?.sint64 ??
    null;
  return JSON.stringify(value);
}

/**
 * What an activity's trigger receives for the stored `[argument]`. The extension hands a string over as it is and
 * anything else as text; the worker then parses whatever parses. .NET spells a bare boolean with a capital letter, which
 * does not parse, so that an activity gets the string "True".
 */
export function activityInput(storedInput: string): TypedData {
  const [argument] = JSON.parse(storedInput) as [unknown];
  if (argument === null || argument === undefined) {
    return {};
  }
  if (typeof argument === 'boolean') {
    return { string: argument ? 'True' : 'False' };
  }
  return { string: typeof argument === 'string' ? argument : JSON.stringify(argument) };
}
