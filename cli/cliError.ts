import { CommanderError } from 'commander';

import { StackError } from '../local/stack/stackError.ts';
import { HubKeeperError } from '../src/lib/errors.ts';
import { safeError } from '../src/lib/redact.ts';
import { storageCode, storageStatus } from '../src/lib/storage/storageErrors.ts';
import { EXIT, type ExitCode } from './exitCode.ts';

/** Ends the command: one line that says what happened, one that says what to do, and the exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly action: string | undefined;

  constructor(exitCode: ExitCode, message: string, action?: string) {
    super(message);
    this.exitCode = exitCode;
    this.action = action;
  }
}

/** Wrong usage, settings or input. */
export function usageError(message: string, action?: string): CliError {
  return new CliError(EXIT.usage, message, action);
}

/** Any thrown value as the error to show; texts of other libraries pass the redaction. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof CommanderError)
    return new CliError(EXIT.usage, error.message.replace(/^error: /, '').replaceAll('\n', ' '));
  if (error instanceof StackError) {
    return new CliError(error.kind === 'usage' ? EXIT.usage : EXIT.failed, error.message, error.action);
  }
  if (error instanceof HubKeeperError) return new CliError(EXIT.usage, error.message, error.action);
  return storageCliError(error) ?? new CliError(EXIT.failed, safeError(error).message, DEBUG_HINT);
}

const DEBUG_HINT = 'Set HUBKEEPER_DEBUG=1 and run it again to see where it came from.';

function storageCliError(error: unknown): CliError | undefined {
  const status = storageStatus(error);
  const code = storageCode(error);
  const name = error instanceof Error ? error.name : '';
  if (
    name === 'CredentialUnavailableError' ||
    name === 'AggregateAuthenticationError' ||
    name === 'AuthenticationError'
  ) {
    return usageError(
      'No Azure identity could be used to reach the storage account.',
      'Sign in with az login, or give HUBKEEPER_STORAGE a connection string.',
    );
  }
  if (status === 401 || status === 403) {
    return usageError(
      `The storage account refused access (${code ?? status}).`,
      'Check HUBKEEPER_STORAGE: the key may have changed, or the identity lacks the role Storage Blob Data Contributor.',
    );
  }
  if (code === 'ContainerNotFound') {
    return usageError(
      'The storage account has no such container: HubKeeper has not been set up there, or this is another account.',
      'Check HUBKEEPER_STORAGE and PROVISION_CONTAINER; the deployment makes the containers.',
    );
  }
  if (isUnreachable(error)) {
    return new CliError(
      EXIT.failed,
      `The storage account cannot be reached: ${safeError(error).message}`,
      'Check the network and HUBKEEPER_STORAGE.',
    );
  }
  if (status !== undefined) {
    return new CliError(
      EXIT.failed,
      `Storage answered ${status}${code === undefined ? '' : ` (${code})`}.`,
      DEBUG_HINT,
    );
  }
  return undefined;
}

/** No answer at all came back (refused, no such host, cut off, timed out). */
export function isUnreachable(error: unknown): boolean {
  if (storageStatus(error) !== undefined) return false;
  const code = (error as { code?: unknown } | null)?.code;
  return (
    typeof code === 'string' &&
    /^(REQUEST_SEND_ERROR|ECONN\w+|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|UND_ERR_\w+)$/.test(
      code,
    )
  );
}
