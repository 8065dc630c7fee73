/** Why a link is refused or ended, in the conditions and words of Event Hubs, which clients tell apart. */

export interface LinkError {
  readonly condition: string;
  readonly description: string;
}

/** Clients look for this very sentence (`translate` in errors.ts of `@azure/core-amqp`). */
export function entityNotFound(entity: string): LinkError {
  return { condition: 'amqp:not-found', description: `The messaging entity '${entity}' could not be found.` };
}

export function noSuchPartition(partitions: number): LinkError {
  return {
    condition: 'com.microsoft:argument-out-of-range',
    description: `The specified partition is invalid for an EventHub partition sender or receiver. It should be between 0 and ${partitions - 1}.`,
  };
}

export function unauthorized(why: string): LinkError {
  return { condition: 'amqp:unauthorized-access', description: why };
}

export function argumentError(why: string): LinkError {
  return { condition: 'com.microsoft:argument-error', description: why };
}

export function notAllowed(why: string): LinkError {
  return { condition: 'amqp:not-allowed', description: why };
}

/** After a failover, or when a checkpoint is of another event hub. */
export function beyondTheEnd(what: 'offset' | 'sequence number', given: string, last: number): LinkError {
  return argumentError(`The supplied ${what} '${given}' is invalid. The last ${what} in the system is '${last}'`);
}

export function stolenBy(epoch: number, name: string, own: number | undefined, ownName: string): LinkError {
  const than = own === undefined ? 'without epoch' : `with epoch '${own}'`;
  return {
    condition: 'amqp:link:stolen',
    description: `New receiver '${name}' with higher epoch of '${epoch}' is created hence current receiver '${ownName}' ${than} is getting disconnected. If you are recreating the receiver, make sure a higher epoch is used.`,
  };
}

export function heldByEpoch(held: number, wanted: number | undefined): LinkError {
  const description =
    wanted === undefined
      ? `At least one receiver for the endpoint is created with epoch of '${held}', and so non-epoch receiver is not allowed. Either reconnect with a higher epoch, or make sure all epoch receivers are closed or disconnected.`
      : `A receiver with a higher epoch of '${held}' already exists. A new receiver with epoch '${wanted}' cannot be created. Make sure you are creating receiver with increasing epoch value to ensure connectivity, or ensure all old epoch receivers are closed or disconnected.`;
  return { condition: 'amqp:link:stolen', description };
}

export function tooManyReceivers(most: number): LinkError {
  return {
    condition: 'amqp:resource-limit-exceeded',
    description: `Exceeded the maximum number of allowed receivers per partition in a consumer group which is ${most}.`,
  };
}
