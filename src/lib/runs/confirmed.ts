/** Work that writes to a hub is confirmed by the hub's name, in upper or lower case. */

export function isConfirmedBy(hub: { readonly hubName: string }, confirm: string | undefined): boolean {
  return confirm?.toLowerCase() === hub.hubName.toLowerCase();
}

/** A sentence to add, with a blank before it, where a name was given that is not the hub's; it is not repeated, for it may be anything. */
export function wrongNameText(confirm: string | undefined): string {
  return confirm === undefined ? '' : ' The name that was given does not match.';
}
