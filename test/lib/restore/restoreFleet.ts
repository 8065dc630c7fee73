import type { RegistryClient } from '../../../src/lib/registry/index.ts';

/** A gateway below another, a leaf, what a deployment made, modules of all kinds, configurations. */
export async function makeFleet(hub: RegistryClient): Promise<void> {
  const up = await hub.createDevice({ deviceId: 'edge-up', capabilities: { iotEdge: true } });
  const down = await hub.createDevice({
    deviceId: 'edge-down',
    capabilities: { iotEdge: true },
    parentScopes: [up.deviceScope ?? ''],
  });
  await hub.createDevice({
    deviceId: 'leaf',
    deviceScope: down.deviceScope ?? '',
    status: 'disabled',
    statusReason: 'lost',
  });
  await hub.createDevice({
    deviceId: 'cert',
    authentication: {
      type: 'selfSigned',
      x509Thumbprint: { primaryThumbprint: 'A'.repeat(40), secondaryThumbprint: 'b'.repeat(40) },
    },
  });
  await hub.createDevice({ deviceId: 'pump' });
  await hub.patchTwin(
    { deviceId: 'pump' },
    '{"tags":{"site":"faro","n":1.50,"ö":{"a":[1,{}]}},"properties":{"desired":{"interval":30}}}',
  );
  await hub.createModule({ deviceId: 'pump', moduleId: 'meter' });
  await hub.createModule({ deviceId: 'pump', moduleId: 'managed', managedBy: 'somebody' });
  await hub.patchTwin({ deviceId: 'pump', moduleId: 'meter' }, '{"tags":{"m":1}}');
  await hub.applyConfigurationContent('edge-down', {
    modulesContent: {
      $edgeAgent: { 'properties.desired': { schemaVersion: '1.1', modules: { fw: { type: 'docker' } } } },
      $edgeHub: { 'properties.desired': { schemaVersion: '1.1' } },
      fw: { 'properties.desired': { level: 3 } },
    },
  });
  await hub.patchTwin({ deviceId: 'edge-down', moduleId: 'fw' }, '{"tags":{"by":"hand"}}');
  await hub.createConfiguration({
    id: 'twins',
    content: { deviceContent: { 'properties.desired.channel': 'stable' } },
    targetCondition: "tags.site='nowhere'",
    priority: 4,
    labels: { team: 'a' },
  });
}

/** Takes all of it away. */
export async function wipe(hub: RegistryClient): Promise<void> {
  for (const deviceId of ['leaf', 'edge-down', 'edge-up', 'cert', 'pump']) await hub.deleteDevice({ deviceId });
  await hub.deleteConfiguration({ id: 'twins' });
}
