import { HubKeeperError } from '../errors.ts';
import { HubError } from '../registry/index.ts';
import { runErrorOf } from '../runs/endRun.ts';
import type { RunError } from '../runs/runRecord.ts';
import { ServiceTrouble } from './serviceTrouble.ts';
import type { StageReply } from './stage.ts';

/** What was asked for cannot be done; nothing was changed. */
export class WorkRefused extends HubKeeperError {
  override readonly name = 'WorkRefused';
  /** Where a confirmation is missing: the name that has to be given. */
  readonly confirm: string | undefined;

  constructor(said: RunError) {
    super(said);
    this.confirm = said.confirm;
  }
}

/** What cannot be done as it was asked for is refused: nothing was changed. */
export async function orRefused(work: () => Promise<StageReply>): Promise<StageReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HubKeeperError) || error instanceof HubError || error instanceof ServiceTrouble) throw error;
    const confirm = 'confirm' in error && typeof error.confirm === 'string' ? { confirm: error.confirm } : {};
    return { end: 'refused', error: { ...runErrorOf(error), ...confirm } };
  }
}
