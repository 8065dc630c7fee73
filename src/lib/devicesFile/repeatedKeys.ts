/** Keys that an object of a line has more than once: JSON.parse keeps the last and says nothing. */

import { endOfString } from '../textFile/jsonMembers.ts';
import { displayName } from './findings.ts';
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './jsonBytes.ts';

/** An object or array that is open where the look-out is. */
interface Open {
  /** Of an object. */
  readonly keys: Set<string> | undefined;
  /** Key or index of the value that is read. */
  place: string | number;
}

/**
 * Where a key comes again in its object, at any depth, such as `tags.a.b`; the first such place, undefined if there is
 * none. Takes its time: `createObjectReader` knows more quickly that there is none.
 *
 * @param text JSON that JSON.parse takes
 */
export function repeatedKeyIn(text: string): string | undefined {
  const open: Open[] = [];
  let keyIsNext = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        const inner = open.at(-1);
        if (keyIsNext && inner?.keys !== undefined) {
          const key = JSON.parse(text.slice(at, end)) as string;
          inner.place = key;
          if (inner.keys.has(key)) return pathOf(open);
          inner.keys.add(key);
          keyIsNext = false;
        }
        at = end - 1;
        break;
      }
      case OPEN_OBJECT:
        open.push({ keys: new Set(), place: '' });
        keyIsNext = true;
        break;
      case OPEN_ARRAY:
        open.push({ keys: undefined, place: 0 });
        keyIsNext = false;
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        open.pop();
        break;
      case COMMA: {
        const inner = open.at(-1);
        keyIsNext = inner?.keys !== undefined;
        if (inner !== undefined && typeof inner.place === 'number') inner.place += 1;
        break;
      }
    }
  }
  return undefined;
}

function pathOf(open: readonly Open[]): string {
  const steps = open.map(({ place }) => (typeof place === 'number' ? `[${place}]` : `.${displayName(place)}`));
  return steps.join('').slice(1);
}
