/**
 * The settings of this app, read when it is loaded: what is missing or wrong stops it at once, all of it named.
 *
 * Apart from `services.ts`, for functions are registered by their settings, and clients of Azure are not made for that.
 */

import { readSettings, type Settings } from './lib/settings.ts';

export const settings: Settings = readSettings();
