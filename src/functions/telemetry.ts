/** Telemetry begins with the app; where it is sent nowhere, nothing of it is loaded. */

import { placesOf } from '../hosting/telemetryPlaces.ts';

const places = placesOf(process.env);

if (places !== undefined) {
  const { startTelemetry } = await import('../hosting/openTelemetry.ts');
  startTelemetry(places);
}
