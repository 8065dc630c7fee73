/** A registry as simple as can be, to judge an undo by: without a line of code of the app. */

export interface ModelIdentity {
  readonly status: string;
  readonly reason: string;
  readonly key: string;
  readonly tags: Readonly<Record<string, unknown>>;
  readonly desired: Readonly<Record<string, unknown>>;
  readonly edge: boolean;
  readonly parent: string | null;
}

/** `id`, or `id/moduleId`. */
export type Model = Map<string, ModelIdentity>;

export interface ModelLine {
  readonly id: string;
  readonly moduleId?: string;
  readonly importMode?: string;
  readonly status?: string;
  readonly statusReason?: string;
  readonly authentication?: { readonly symmetricKey?: { readonly primaryKey: string } };
  readonly tags?: Readonly<Record<string, unknown>>;
  readonly properties?: { readonly desired?: Readonly<Record<string, unknown>> };
  readonly capabilities?: { readonly iotEdge: boolean };
  readonly parent?: string | null;
}

export const nameOf = ({ id, moduleId }: Pick<ModelLine, 'id' | 'moduleId'>) =>
  moduleId === undefined ? id : `${id}/${moduleId}`;

const NEW: ModelIdentity = { status: 'enabled', reason: '', key: '', tags: {}, desired: {}, edge: false, parent: null };

/** What a hub does with a line; devices come before modules. @param newKey what it makes for a line without keys */
export function applyLine(model: Model, line: ModelLine, newKey: string): void {
  const name = nameOf(line);
  const before = model.get(name);
  const mode = (line.importMode ?? 'createOrUpdate').replace('IfMatchETag', '');
  if (mode === 'delete') {
    remove(model, name);
    return;
  }
  if (before === undefined && mode.startsWith('update')) return;
  if (before !== undefined && mode === 'create') return;
  if (line.moduleId !== undefined && !model.has(line.id)) return;
  if (mode === 'updateTwin') {
    const was = before ?? NEW;
    model.set(name, {
      ...was,
      tags: merged(was.tags, line.tags ?? {}),
      desired: merged(was.desired, line.properties?.desired ?? {}),
    });
    return;
  }
  const {
    tags = {},
    desired = {},
    parent = null,
    edge: wasEdge = false,
    reason = '',
    status = 'enabled',
    key,
  } = before ?? {};
  const edge = line.moduleId === undefined && (line.capabilities?.iotEdge ?? wasEdge);
  model.set(name, {
    // What is filled in from the device; lines that are new to it say it, or get what new ones get.
    status: line.moduleId === undefined ? (line.status ?? status) : 'enabled',
    reason: line.moduleId === undefined ? (line.statusReason ?? reason) : '',
    key:
      line.authentication?.symmetricKey?.primaryKey ??
      (line.importMode?.startsWith('updateIf') ? (key ?? newKey) : newKey),
    tags: line.tags ?? tags,
    desired: line.properties?.desired ?? desired,
    edge,
    parent: line.parent === undefined ? parent : line.parent,
  });
  if (edge && !wasEdge) model.set(`${line.id}/$edgeAgent`, { ...NEW, key: 'none' });
  if (wasEdge && !edge) endEdge(model, line.id);
}

function remove(model: Model, name: string): void {
  const { edge = false } = model.get(name) ?? {};
  model.delete(name);
  for (const other of [...model.keys()]) if (other.startsWith(`${name}/`)) model.delete(other);
  if (edge) endEdge(model, name);
}

function endEdge(model: Model, id: string): void {
  model.delete(`${id}/$edgeAgent`);
  for (const [name, identity] of model) if (identity.parent === id) model.set(name, { ...identity, parent: null });
}

function merged(
  before: Readonly<Record<string, unknown>>,
  patch: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries({ ...before, ...patch }).filter(([, value]) => value !== null));
}

/** The lines of an export. @param ticks of all scopes */
export function exportModel(model: Model, ticks: (id: string) => number): string[] {
  const scope = (id: string) => `ms-azure-iot-edge://${id}-${ticks(id)}`;
  return [...model].map(([name, identity]) => {
    const [id = '', moduleId] = name.split('/');
    const { status, reason, key, tags, desired, edge, parent } = identity;
    const scopes = edge
      ? { deviceScope: scope(id), ...(parent === null ? {} : { parentScopes: [scope(parent)] }) }
      : parent === null
        ? {}
        : { deviceScope: scope(parent), parentScopes: [scope(parent)] };
    return JSON.stringify({
      id,
      ...(moduleId === undefined ? {} : { moduleId }),
      eTag: 'MQ==',
      status,
      ...(moduleId === undefined ? { statusReason: reason } : {}),
      authentication:
        key === 'none' ? { type: 'none' } : { symmetricKey: { primaryKey: key, secondaryKey: key }, type: 'sas' },
      twinETag: 'AAAAAAAAAAE=',
      tags,
      properties: { desired, reported: { seen: true } },
      capabilities: { iotEdge: edge },
      ...(moduleId === undefined ? scopes : {}),
    });
  });
}
