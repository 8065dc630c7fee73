import type { PartName } from '../../local/stack/index.ts';
import type { Output } from './output.ts';
import { createStatusDisplay } from './statusDisplay.ts';

function partText(part: PartName): string {
  if (part === 'azurite') return 'starting Azurite';
  if (part === 'host') return 'starting the Functions host with the app';
  return part === 'hub' ? 'starting the hub simulator' : `starting the hub simulator ${part.slice('hub-'.length)}`;
}

/** Shows which part of the local stack is being started. */
export function showStackSteps(output: Output): { onStarting: (part: PartName) => void; end: () => void } {
  const status = createStatusDisplay(output.stderr);
  return { onStarting: (part) => status.show({ text: partText(part) }), end: () => status.end() };
}
