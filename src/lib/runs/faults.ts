import { isOwnFault, ownFaultText } from '../errors.ts';
import { RunDamaged } from './parseRunRecord.ts';

/** What an activity returns when a retry cannot help: it is thrown at once, and ends what called it. */
export interface Fault {
  readonly fault: string;
}

/**
 * Does a step, once more when our own code fails in it or the record of the run is damaged, and then takes that for
 * permanent: retried for minutes, it would only hold up the hub for all others. What is transient is thrown.
 */
export async function orFault<Result>(step: () => Promise<Result>): Promise<Result | Fault> {
  try {
    return await step();
  } catch (error) {
    if (!isPermanent(error)) throw error;
  }
  try {
    return await step();
  } catch (error) {
    if (!isPermanent(error)) throw error;
    return { fault: faultText(error) };
  }
}

function isPermanent(error: unknown): error is Error {
  return isOwnFault(error) || error instanceof RunDamaged;
}

function faultText(error: Error): string {
  if (error instanceof RunDamaged) return error.message;
  return `HubKeeper itself failed, not the hub or the network (${ownFaultText(error)}).`;
}
