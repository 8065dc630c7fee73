import { PlainHttpError } from '../http/hubError.ts';
import type { Operation } from './operation.ts';

/**
 * Routes of a hub that this simulator knows and does not serve. They answer 501 by name, so that nobody takes a 404 for
 * an answer: direct methods, scheduled jobs (jobs/v2), digital twins, key regeneration, test queries. Over AMQP there are
 * events only, no cloud-to-device messages.
 */
const ROUTES: readonly (readonly [name: string, method: Operation['method'], path: string])[] = [
  ['invokeMethod', 'POST', '/twins/:deviceId/methods'],
  ['invokeModuleMethod', 'POST', '/twins/:deviceId/modules/:moduleId/methods'],
  ['createScheduledJob', 'PUT', '/jobs/v2/:jobId'],
  ['getScheduledJob', 'GET', '/jobs/v2/:jobId'],
  ['cancelScheduledJob', 'POST', '/jobs/v2/:jobId/cancel'],
  ['getDigitalTwin', 'GET', '/digitaltwins/:deviceId'],
  ['patchDigitalTwin', 'PATCH', '/digitaltwins/:deviceId'],
  ['invokeRootCommand', 'POST', '/digitaltwins/:deviceId/commands/:command'],
  ['invokeComponentCommand', 'POST', '/digitaltwins/:deviceId/components/:component/commands/:command'],
  ['regenerateKeys', 'POST', '/devices/keys/regenerate'],
  ['testConfigurationQueries', 'POST', '/configurations/testQueries'],
];

export const unservedOperations: readonly Operation[] = ROUTES.map(([name, method, path]) => ({
  name,
  method,
  path,
  right: 'ServiceConnect',
  handle: () => {
    throw new PlainHttpError(501, 'FeatureNotSupported', `This simulator does not serve ${name} (${method} ${path}).`);
  },
}));
