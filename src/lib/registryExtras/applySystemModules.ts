/** Puts back what edge devices had deployed: the content of their modules, then what else their twins have. */

import { defined } from '../defined.ts';
import { withoutHubKeys } from '../devicesFile/lineText.ts';
import type { RegistryClient, WrittenTwin } from '../registry/index.ts';
import { sectionsAgree } from '../registryLines/agrees.ts';
import { removalOf, type TwinText, twinMembers } from '../registryLines/twinText.ts';
import { memberMap, objectText } from '../textFile/jsonMembers.ts';
import { extrasText } from './extrasTexts.ts';
import {
  failed,
  type ItemName,
  type ItemOutcome,
  outcomeOf,
  type WorkLimits,
  type WorkStep,
  workThrough,
} from './hubWork.ts';
import { contentText, type SystemModulesPlan } from './systemModules.ts';

type PlannedModule = SystemModulesPlan['modules'][number];
type TwinReads = ReadonlyMap<string, WrittenTwin | undefined>;

/** A module may take a moment to become readable. */
const TRIES = 4;
const PAUSE_MS = 1_000;

/**
 * Applies plans, one edge device an item. A device that has all of it already is left as it is, which costs a read of
 * each twin; others cost one operation on configurations, of which hubs take 20 a minute, and a patch of each module that
 * then still differs (tags are no part of a deployment).
 *
 * @returns an outcome a device, and one for each module whose twin could not be set
 */
export async function applySystemModules(
  hub: RegistryClient,
  plans: AsyncIterable<SystemModulesPlan> | Iterable<SystemModulesPlan>,
  position: number,
  limits: WorkLimits,
): Promise<WorkStep<ItemOutcome>> {
  return workThrough(plans, position, limits, async (plan) => {
    const item: ItemName = { what: 'systemModules', id: plan.id };
    const ofModules: ItemOutcome[] = [];
    const ofDevice = await outcomeOf(item, async () => {
      const before = await readTwins(hub, plan);
      const differing = plan.modules.filter((module) => !agrees(module, before.get(module.moduleId)));
      if (differing.length === 0) return { ...item, outcome: 'unchanged' };
      if (differing.some((module) => !hasDesired(module, before.get(module.moduleId)))) {
        await hub.applyConfigurationContent(plan.id, contentText(plan));
      }
      const after = await readMadeTwins(hub, plan, limits);
      for (const module of plan.modules)
        ofModules.push(await setTwin(hub, plan.id, module, after.get(module.moduleId)));
      return { ...item, outcome: 'succeeded' };
    });
    return [ofDevice, ...ofModules.filter(({ outcome }) => outcome === 'failed')];
  });
}

async function readTwins(hub: RegistryClient, { id, modules }: SystemModulesPlan): Promise<TwinReads> {
  const read = async ({ moduleId }: PlannedModule) =>
    [moduleId, await hub.getTwin({ deviceId: id, moduleId })] as const;
  return new Map(await Promise.all(modules.map(read)));
}

async function readMadeTwins(hub: RegistryClient, plan: SystemModulesPlan, { sleep }: WorkLimits): Promise<TwinReads> {
  for (let tries = 1; ; tries += 1) {
    const twins = await readTwins(hub, plan);
    if (tries === TRIES || plan.modules.every((module) => hasDesired(module, twins.get(module.moduleId)))) return twins;
    await sleep(PAUSE_MS);
  }
}

/** Sets what differs; a section that differs loses what it is not to have, and is given all that it is. */
async function setTwin(
  hub: RegistryClient,
  deviceId: string,
  module: PlannedModule,
  twin: WrittenTwin | undefined,
): Promise<ItemOutcome> {
  const item: ItemName = { what: 'systemModuleTwin', id: deviceId, moduleId: module.moduleId };
  if (twin === undefined) return failed(item, extrasText('moduleNotMade'));
  return outcomeOf(item, async () => {
    const wanted: TwinText = defined({
      tags: hasTags(module, twin) ? undefined : (module.tags ?? '{}'),
      desired: hasDesired(module, twin) ? undefined : (module.desired ?? '{}'),
    });
    for (const patch of [removalOf(sectionsOf(twin), wanted) ?? {}, withoutEmpty(wanted)]) {
      const members = twinMembers(patch);
      if (members.length > 0) await hub.patchTwin({ deviceId, moduleId: module.moduleId }, objectText(members));
    }
    return { ...item, outcome: 'succeeded' };
  });
}

/** A patch with nothing in a section says nothing of it. */
function withoutEmpty({ tags, desired }: TwinText): TwinText {
  const filled = (section: string | undefined) =>
    section === undefined || memberMap(section).size === 0 ? undefined : section;
  return defined({ tags: filled(tags), desired: filled(desired) });
}

function agrees(module: PlannedModule, twin: WrittenTwin | undefined): boolean {
  return hasDesired(module, twin) && hasTags(module, twin);
}

function hasDesired({ desired }: PlannedModule, twin: WrittenTwin | undefined): boolean {
  return twin !== undefined && sectionsAgree(parse(desired), twin.properties.desired);
}

function hasTags({ tags }: PlannedModule, twin: WrittenTwin | undefined): boolean {
  return twin !== undefined && sectionsAgree(parse(tags), twin.tags);
}

function sectionsOf({ tags, properties, written }: WrittenTwin): TwinText {
  return {
    tags: written.tags ?? JSON.stringify(tags),
    desired: withoutHubKeys(written.desired ?? JSON.stringify(properties.desired)),
  };
}

function parse(section: string | undefined): unknown {
  return JSON.parse(section ?? '{}') as unknown;
}
