import type { PartName } from '../local/stack/index.ts';
import type { Output } from './output.ts';
import { createStatusDisplay } from './statusDisplay.ts';

const PART_TEXT: Readonly<Record<PartName, string>> = {
  azurite: 'starting Azurite',
  hub: 'starting the hub simulator',
  host: 'starting the Functions host with the app',
};

/** Shows which part of the local stack is being started. */
export function showStackSteps(output: Output): { onStarting: (part: PartName) => void; end: () => void } {
  const status = createStatusDisplay(output.stderr);
  return { onStarting: (part) => status.show({ text: PART_TEXT[part] }), end: () => status.end() };
}
