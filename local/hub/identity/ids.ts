import { HubError } from '../http/hubError.ts';

/** Characters of device and module ids; hubs have taken `+` and `#` too, whatever the newest page says. */
const ID = /^[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}$/;

/** Fails with 400004 unless the id has 1 to 128 allowed characters. */
export function demandId(what: 'deviceId' | 'moduleId', id: string): void {
  if (!ID.test(id)) {
    throw new HubError(
      'ArgumentInvalid',
      `The ${what} is invalid: it needs 1 to 128 ASCII letters, digits or one of - : . + % _ # * ? ! ( ) , = @ ; $ '`,
    );
  }
}

/** Modules whose name begins with `$` belong to the hub. */
export const isSystemModule = (moduleId: string): boolean => moduleId.startsWith('$');
