/** The version in the user agent; a test keeps it equal to package.json. */
export const HUBKEEPER_VERSION = '0.1.0';
