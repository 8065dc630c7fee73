import type { KindsOfWork } from './work/takeStage.ts';

/** The stages of each kind of work. */
export const KINDS_OF_WORK: KindsOfWork = {};
