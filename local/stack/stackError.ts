/** The local stack cannot start or has broken down: what happened, and what a person can do about it. */
export class StackError extends Error {
  override name = 'StackError' as const;
  readonly action: string | undefined;
  /**
   * `usage`: asked for what cannot be (a taken port, a folder in use). `failure`: a part did not do its work. `stopped`: the
   * signal that was given was aborted.
   */
  readonly kind: 'usage' | 'failure' | 'stopped';

  constructor(
    message: string,
    options: { readonly action?: string; readonly kind?: StackError['kind']; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.action = options.action;
    this.kind = options.kind ?? 'failure';
  }
}
