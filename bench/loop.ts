/** The loop that one would write oneself, which validates nothing: `node bench/loop.ts FILE`. */

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const [file = ''] = process.argv.slice(2);
const identities = new Set<string>();

if (file.endsWith('.csv')) {
  const { parse } = await import('csv-parse');
  const rows = createReadStream(file).pipe(parse({ columns: true }));
  for await (const row of rows) identities.add((row as { id: string }).id);
} else {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const { id, moduleId } = JSON.parse(line) as { id: string; moduleId?: string };
    identities.add(moduleId === undefined ? id : `${id}\n${moduleId}`);
  }
}
console.log(identities.size);
