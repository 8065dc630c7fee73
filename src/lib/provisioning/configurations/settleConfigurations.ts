/**
 * What became of each configuration, once the import job has ended.
 *
 * The registry itself is read and compared, line by line: a hub that already has a configuration keeps its content
 * whatever an update says, and reports success.
 */

import {
  type ConfigurationField,
  configurationDifferences,
} from '../../configurationsFile/configurationDifferences.ts';
import { defined } from '../../defined.ts';
import { isTerminalStatus } from '../../hubJobs/jobStatus.ts';
import { type Configuration, explainHubError, HubError, type RegistryClient } from '../../registry/index.ts';
import type { Verdict } from '../../runs/outcomes.ts';
import { stagingOf } from '../../runs/runContainer.ts';
import { hubOf } from '../../runs/runRecord.ts';
import { StagingLost } from '../../runs/stagingLost.ts';
import { keepFirst } from '../../storage/jsonBlob.ts';
import { checkOf } from '../check/checkResult.ts';
import { isLostAfterSend, type ProvisioningContext, type ProvisionRun } from '../run/provisionRun.ts';
import { verdict } from '../texts/outcomeTexts.ts';
import { type ConfigurationErrors, readConfigurationErrors } from './configurationErrors.ts';
import {
  type AcceptedConfiguration,
  CONFIGURATIONS_INPUT_BLOB,
  CONFIGURATIONS_LOG_BLOB,
  CONFIGURATIONS_SETTLED_BLOB,
  readInput,
  readSettled,
  type SettledConfigurations,
  stagedConfigurations,
} from './configurationsStaging.ts';

const TRIES = 3;
/** Hubs take 20 operations on configurations a minute (Azure docs, "IoT Hub quotas and throttling"). */
const PACE_MS = 3_000;
/** More than these do not fit into one step of a run; the others stay failed, to be dropped again. */
const MOST_RETRIES = 20;
/** A step of a run has to end well before the host ends it (5 minutes on some plans). */
const MOST_RETRY_MS = 2 * 60_000;
const MOST_SINGLE_READS = 20;

const PRECONDITION = new Set(['PreconditionFailed', 'GenericPreconditionFailed', 'EtagDoesNotMatch']);

/** The configurations that the hub has, of those asked for. */
type Held = ReadonlyMap<string, Configuration>;

interface Evidence {
  readonly record: ProvisionRun;
  readonly errors: ConfigurationErrors | undefined;
  /** Undefined when the registry could not be read. */
  readonly held: Held | undefined;
  /** Of lines that were put once more by themselves: the error, or undefined when that went well. */
  readonly retried: ReadonlyMap<string, HubError | undefined>;
}

/**
 * Settles the configurations of a run and keeps the result in its container, for `writeReport`. To be called once the
 * import job has ended and before any other job of the run: a later import job replaces the log. Safe to repeat.
 */
export async function settleConfigurations(context: ProvisioningContext, record: ProvisionRun): Promise<void> {
  const { runId } = record;
  const check = (await checkOf(context, runId))?.configurations;
  if (check === undefined || (await readSettled(context, runId)) !== undefined) return;
  const lines = await stagedConfigurations(context, runId, check);
  const input = await readInput(context, runId);
  if (input === undefined && !isLostAfterSend(record)) throw new StagingLost(runId, CONFIGURATIONS_INPUT_BLOB);
  const accepted = lines.filter((line): line is AcceptedConfiguration => line.kind === 'accepted');
  const sent = accepted.filter(({ id }) => input?.heldBack.includes(id) !== true);
  const evidence = await gather(context, record, sent);
  const settled: SettledConfigurations = {
    verdicts: accepted.map((line) => ({
      line: line.line,
      verdict: sent.includes(line) ? verdictOn(line, evidence) : verdict('contentImmutable'),
    })),
  };
  const blob = stagingOf(context, runId).getBlockBlobClient(CONFIGURATIONS_SETTLED_BLOB);
  await keepFirst(blob, settled);
}

async function gather(
  context: ProvisioningContext,
  record: ProvisionRun,
  sent: readonly AcceptedConfiguration[],
): Promise<Evidence> {
  const log = stagingOf(context, record.runId).getBlockBlobClient(CONFIGURATIONS_LOG_BLOB);
  const errors = await readConfigurationErrors(log);
  if (sent.length === 0) return { record, errors, held: new Map(), retried: new Map() };
  const hub = context.hub(hubOf(record));
  let held = await readHeld(context, hub, sent);
  const retried = new Map<string, HubError | undefined>();
  // What a person has cancelled or wants no retries of, or nobody knows the end of, is not taken up again.
  if (hasCompleted(record) && record.cancelRequestedAt === undefined && record.options?.retryMinutes !== 0) {
    const until = context.now().getTime() + MOST_RETRY_MS;
    for (const line of sent.filter((candidate) => isPassing(candidate, errors)).slice(0, MOST_RETRIES)) {
      if (context.now().getTime() > until) break;
      if (retried.size > 0) await context.sleep(PACE_MS);
      retried.set(line.id, await put(context, hub, line, held?.get(line.id)));
    }
    // A registry may show a write a moment later; a repeated put may have been done although it failed.
    const expected = sent.filter(({ id }) => retried.has(id) || !errors?.codes.has(id));
    for (let tries = 1; tries < TRIES; tries += 1) {
      if (held === undefined || expected.every((line) => isAsWritten(line, held))) break;
      await context.sleep(2_000);
      held = await readHeld(context, hub, sent);
    }
  }
  return { record, errors, held, retried };
}

/** One list for all; what it lacks is asked for by itself, should a hub ever cut the list. */
async function readHeld(
  context: ProvisioningContext,
  hub: RegistryClient,
  sent: readonly AcceptedConfiguration[],
): Promise<Held | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      const held = new Map((await hub.listConfigurations()).map((configuration) => [configuration.id, configuration]));
      const lacking = sent.filter(({ id }) => !held.has(id)).slice(0, MOST_SINGLE_READS);
      for (const { id } of lacking) {
        const configuration = await hub.getConfiguration(id);
        if (configuration !== undefined) held.set(id, configuration);
      }
      return held;
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      context.log.log('warn', `the configurations of the hub cannot be read: ${error.message}`);
      if (!error.retryable || tries === TRIES) return undefined;
      await context.sleep(error.retryAfterMs ?? 5_000 * tries);
    }
  }
}

/** Whether the error of a line is transient: of a line that compares nothing, a change in between is one, too. */
function isPassing(line: AcceptedConfiguration, errors: ConfigurationErrors | undefined): boolean {
  const code = errors?.codes.get(line.id);
  if (code === undefined) return false;
  const { name, class: errorClass } = explainHubError(code);
  return errorClass === 'transient' || (line.configuration.etag === undefined && PRECONDITION.has(name));
}

/** Writes one configuration by itself; the error when that fails, undefined when it went well. */
async function put(
  context: ProvisioningContext,
  hub: RegistryClient,
  line: AcceptedConfiguration,
  before: Configuration | undefined,
): Promise<HubError | undefined> {
  const { configuration } = line;
  // It was made by somebody else since, with other content: not to be touched.
  if (before !== undefined && configurationDifferences(configuration, before).includes('content')) return undefined;
  for (let tries = 1; ; tries += 1) {
    try {
      const onlyIfUnchanged = configuration.etag !== undefined;
      if (before === undefined) await hub.createConfiguration(configuration);
      else await hub.updateConfiguration(configuration, { onlyIfUnchanged });
      return undefined;
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      if (!error.retryable || tries === TRIES) return error;
      await context.sleep(error.retryAfterMs ?? PACE_MS);
    }
  }
}

function hasCompleted({ jobs: { import: job } }: ProvisionRun): boolean {
  return job?.status.toLowerCase() === 'completed' && job.ambiguous !== true;
}

function isAsWritten(line: AcceptedConfiguration, held: Held | undefined): boolean {
  const now = held?.get(line.id);
  return now !== undefined && configurationDifferences(line.configuration, now).length === 0;
}

function verdictOn(line: AcceptedConfiguration, evidence: Evidence): Verdict {
  const { errors, held, retried, record } = evidence;
  const code = errors?.codes.get(line.id);
  const again = retried.get(line.id);
  const failure = again ?? (retried.has(line.id) ? undefined : code);
  const { warning } = line;
  const applied: Verdict = warning === undefined ? { outcome: 'succeeded' } : verdict('checkWarning', { warning });

  if (held === undefined) {
    if (failure !== undefined) return failed(failure);
    const clear = retried.has(line.id) || (hasCompleted(record) && errors?.unattributed.length === 0);
    return clear ? applied : verdict('registryUnreadable');
  }
  if (isAsWritten(line, held))
    return failure === undefined || failure instanceof HubError ? applied : alreadySo(failure);
  const now = held.get(line.id);
  const differs = now === undefined ? undefined : configurationDifferences(line.configuration, now);
  if (failure !== undefined) return failed(failure);
  if (differs?.includes('content')) return verdict('contentKept');
  if (!isTerminalStatus(record.jobs.import?.status ?? '')) return verdict('jobNotEnded:configuration');
  const [only, ...others] = new Set(errors?.unattributed ?? []);
  if (only !== undefined && others.length === 0) return failed(only);
  return notApplied(record, differs);
}

function failed(failure: number | string | HubError): Verdict {
  if (failure instanceof HubError) {
    const { code, message, action } = failure;
    return { outcome: 'failed', code, reason: message, ...defined({ action }) };
  }
  const { name, sentence, action } = explainHubError(failure);
  return { outcome: 'failed', code: name, reason: sentence, action };
}

/** The hub refused it (a repeated job meets its own work so), and holds it exactly as the line says. */
function alreadySo(code: number | string): Verdict {
  return { outcome: 'unchanged', code: explainHubError(code).name, reason: 'The hub has it as the line says.' };
}

function notApplied(record: ProvisionRun, differs: readonly ConfigurationField[] | undefined): Verdict {
  const status = record.jobs.import?.status.toLowerCase();
  const why = status === 'completed' ? 'The hub named no error' : `The import job ended as "${status ?? 'unknown'}"`;
  const difference =
    differs === undefined ? 'it does not have this configuration' : `what it has differs in ${differs.join(', ')}`;
  return verdict('notApplied:configuration', { why, difference });
}
