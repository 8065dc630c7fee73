/** What an undo does to the configurations that a run has changed. */

import { type ConfigurationField, configurationDifferences } from '../configurationsFile/configurationDifferences.ts';
import type { Configuration, ConfigurationInput } from '../registry/index.ts';
import { type ConfigurationChange, compareConfigurations } from '../registryExtras/configurationChanges.ts';
import type { ConfigurationEffect } from '../runs/runEffects.ts';

export type ForeignField = ConfigurationField | 'deleted';

/** Somebody else has changed it since: it is left alone. */
export interface ForeignConfiguration {
  readonly id: string;
  readonly fields: readonly ForeignField[];
}

export interface ConfigurationsUndo {
  /** For `applyConfigurations`; only such as change something. */
  readonly changes: readonly ConfigurationChange[];
  readonly foreign: readonly ForeignConfiguration[];
}

/**
 * Those that the run has made are deleted, those that it has changed become what they were. What is neither as before nor
 * as the run left it is somebody else's.
 *
 * @param live all configurations of the hub as they are now
 * @param force what somebody else has changed is put back, too
 */
export function undoConfigurations(
  effects: readonly ConfigurationEffect[],
  live: readonly Configuration[],
  force = false,
): ConfigurationsUndo {
  const held = new Map(live.map((configuration) => [configuration.id, configuration]));
  const wanted: ConfigurationInput[] = [];
  const now: Configuration[] = [];
  const foreign: ForeignConfiguration[] = [];
  for (const effect of effects) {
    if (effect.applied === 'no') continue;
    const { id, before, sent } = effect;
    const there = held.get(id);
    const fields = force ? [] : foreignFields(before, sent, there);
    if (fields.length > 0) {
      foreign.push({ id, fields });
      continue;
    }
    if (before !== undefined) wanted.push(before);
    if (there !== undefined) now.push(there);
  }
  return { changes: compareConfigurations(wanted, now).filter(({ change }) => change !== 'unchanged'), foreign };
}

function foreignFields(
  before: ConfigurationInput | undefined,
  sent: ConfigurationInput,
  live: Configuration | undefined,
): readonly ForeignField[] {
  if (live === undefined) return before === undefined ? [] : ['deleted'];
  const toExpected = configurationDifferences(sent, live);
  if (before === undefined) return toExpected;
  const toBefore = configurationDifferences(before, live);
  return toBefore.filter((field) => toExpected.includes(field));
}
