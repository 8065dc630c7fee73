import { safeError } from '../../redact.ts';
import { type MirrorStatus, mirrorStatus, type StatusContext } from './mirrorStatus.ts';

/** The mirror in `GET /api/health`. */
export interface MirrorHealth {
  readonly name: 'mirror';
  readonly ok: boolean;
  /** What is wrong and what to do; absent when all is well. */
  readonly problem?: string;
  /** Absent: it could not be found out. */
  readonly status?: MirrorStatus;
}

/** Health is asked for often, and to find it out takes a connection to each Event Hub. */
const KNOWN_MS = 10_000;

/** How the mirror stands, for whoever asks often; rows are not counted for it. */
export function createMirrorHealth(context: StatusContext): () => Promise<MirrorHealth> {
  let known: { readonly at: number; readonly found: Promise<MirrorHealth> } | undefined;
  return async () => {
    const at = context.now().getTime();
    if (known === undefined || at - known.at >= KNOWN_MS) known = { at, found: find(context) };
    return known.found;
  };
}

async function find(context: StatusContext): Promise<MirrorHealth> {
  try {
    const status = await mirrorStatus(context, false);
    const problems = status.notes
      .filter(({ unhealthy }) => unhealthy)
      .map(({ message, action }) => [message, action].filter(Boolean).join(' '));
    if (problems.length === 0) return { name: 'mirror', ok: true, status };
    return { name: 'mirror', ok: false, problem: problems.join(' '), status };
  } catch (error) {
    return { name: 'mirror', ok: false, problem: safeError(error).message };
  }
}
