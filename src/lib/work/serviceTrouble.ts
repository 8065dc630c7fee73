import { HubKeeperError } from '../errors.ts';

/** A service that work needs besides its hub does not answer, or throttles: it is waited for, as a hub is. */
export class ServiceTrouble extends HubKeeperError {
  override readonly name = 'ServiceTrouble';
}
