/**
 * What hubs take as ids of devices and modules: 1 to 128 of these characters, letter case matters
 * (https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-identity-registry). Of them, only older hubs took "+" and "#".
 */
const HUB_ID = /^[A-Za-z0-9:.%_*?!(),=@;$'+#-]{1,128}$/;

/** Whether a hub may have an identity of that id. What does not, no row holds. */
export function isHubId(text: string): boolean {
  return HUB_ID.test(text);
}
