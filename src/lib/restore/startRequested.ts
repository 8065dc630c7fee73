/** What was asked for, looked at before a run is begun: what is plainly wrong is told at once, and leaves no run behind. */

import { parseBackupName } from '../backup/backupName.ts';
import { findBackup, hubOfLatest } from '../backup/findBackup.ts';
import { demandAloneOnHub } from '../work/aloneOnHub.ts';
import { demandConfirmed } from '../work/request.ts';
import type { WorkContext, WorkKind, WorkRun, WorkToStart } from '../work/workRun.ts';
import { demandBackup } from './openStage.ts';
import {
  demandHub,
  type PlanRequest,
  parseDeleteAllRequest,
  parseDrillRequest,
  parsePlanRequest,
  parseRestoreRequest,
} from './requests.ts';

type Context = Pick<WorkContext, 'storage' | 'hub' | 'settings' | 'runs'>;

export type RestoreKind = Extract<WorkKind, 'plan' | 'restore' | 'drill' | 'deleteAll'>;

/**
 * Begins the work that a request asks for.
 *
 * @param body whatever was sent
 * @throws WorkRefused, BackupError: there is no run then
 */
export async function startRequested(
  context: Context & Pick<WorkContext, 'start'>,
  kind: RestoreKind,
  body: unknown,
): Promise<WorkRun> {
  return context.start(await prepareRequest(context, kind, body));
}

async function prepareRequest(context: Context, kind: RestoreKind, body: unknown): Promise<WorkToStart> {
  if (kind === 'deleteAll') {
    const request = parseDeleteAllRequest(body);
    const hub = demandHub(context.settings.hubs, request.hub);
    await demandAloneOnHub(context, hub);
    demandConfirmed(context.hub(hub), request.confirm);
    return { kind, hub, request: { ...request } };
  }
  if (kind === 'restore') {
    const request = parseRestoreRequest(body);
    const found = await ofBackup(context, request);
    await demandAloneOnHub(context, found.hub);
    demandConfirmed(context.hub(found.hub), request.confirm);
    return { kind, ...found };
  }
  if (kind === 'plan') return { kind, ...(await ofBackup(context, parsePlanRequest(body))) };
  // The hub that it goes to is empty, and so are the backups that are made of it.
  const found = await ofBackup(context, parseDrillRequest(body), true);
  await demandAloneOnHub(context, found.hub);
  return { kind, ...found };
}

/** @param isDrill `latest` is not of the hub that it goes to */
async function ofBackup(
  context: Context,
  request: PlanRequest,
  isDrill = false,
): Promise<Pick<WorkToStart, 'request'> & { hub: string }> {
  const { hubs } = context.settings;
  // It is looked at before the backup is: a name with a slip in it could be of any hub.
  const named = request.to === undefined ? undefined : demandHub(hubs, request.to);
  const backup = await findBackup(context.storage, request.backup, (isDrill ? undefined : named) ?? hubOfLatest(hubs));
  const hub = named ?? demandHub(hubs, parseBackupName(backup)?.hub);
  await demandBackup(context, hub, { ...request, backup });
  return { hub, request: { ...request, backup } };
}
