import { createEdgeModule, demandModuleRoom, type RegistryContext } from '../identity/identityRules.ts';
import { demandId, isSystemModule } from '../identity/ids.ts';
import type { IdentityRow } from '../registry/identityRow.ts';
import { replaceTwinParts } from '../twin/twinColumns.ts';
import { isJsonObject, type JsonObject } from '../twin/twinLimits.ts';
import { withContent } from './desiredContent.ts';

/**
 * Writes the `modulesContent` of deployments, the lowest first, into the modules of an edge device. The modules that the
 * keys of the content name are made at once, without a runtime; those that only `modules` of `$edgeAgent` lists are
 * not, and those of an earlier content stay: `az iot edge set-modules` with such contents finds three and then four
 * modules on a live hub (Azure/azure-iot-cli-extension test_iot_config_int.py, test_edge_set_modules).
 *
 * Throws HubError before anything is written.
 */
export function writeEdgeContent(context: RegistryContext, device: IdentityRow, contents: readonly JsonObject[]): void {
  const merged = new Map<string, { readonly row: IdentityRow | undefined; desired: JsonObject }>();
  for (const [moduleId, content] of contents.flatMap((content) => Object.entries(content))) {
    if (!isJsonObject(content)) continue;
    let module = merged.get(moduleId);
    if (module === undefined) {
      demandId('moduleId', moduleId);
      const row = context.store.find(device.deviceId, moduleId);
      module = { row, desired: row === undefined ? {} : JSON.parse(row.desired) };
      merged.set(moduleId, module);
    }
    module.desired = withContent(module.desired, content);
  }
  const modules = [...merged];
  const missing = modules.filter(([, { row }]) => row === undefined);
  if (missing.length > 0) demandModuleRoom(context, device, missing.filter(([id]) => !isSystemModule(id)).length);
  const writes = modules.map(([moduleId, { row, desired }]) => {
    if (row !== undefined) {
      const changed = { ...row, ...replaceTwinParts(row, { desired }, context.nowMs) };
      return () => context.store.update(row, changed);
    }
    // A twin of another row tells whether the properties may be written at all, before the first module is made.
    replaceTwinParts(device, { desired }, context.nowMs);
    return () => {
      const made = createEdgeModule(context, device, moduleId);
      context.store.update(made, { ...made, ...replaceTwinParts(made, { desired }, context.nowMs) });
    };
  });
  for (const write of writes) write();
}
