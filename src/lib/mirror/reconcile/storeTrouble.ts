import { ServiceTrouble } from '../../work/serviceTrouble.ts';
import { StoreUnavailable } from '../store/mirrorStore.ts';
import { sayReconcile } from './reconcileTexts.ts';

/** A store that does not answer is waited for. */
export async function orStoreTrouble<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StoreUnavailable ? new ServiceTrouble(sayReconcile('mirrorUnavailable')) : error;
  }
}
