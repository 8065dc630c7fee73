// Everything that HubKeeper needs in Azure. `azd up` deploys it; `az deployment sub create` does as well (docs/azure.md).
//
// All of it goes into one resource group, and nothing into any other: `azd down` deletes every group that a deployment has
// put something into, and the group of an existing hub must not be among them. What an existing hub needs (an identity,
// three role assignments, an endpoint and two routes) is therefore given to it by hooks/hub.sh and hooks/hub.ps1.

targetScope = 'subscription'

import { Settings } from 'types.bicep'

@description('Name of the azd environment: part of the name of the resource group, and of what all other names are made from.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of all resources. It must have the Flex Consumption plan, and should be that of the hub.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Name of the IoT hub that is looked after. Empty, with createHub: one is made up.')
@maxLength(50)
param hubName string = ''

@description('Whether the hub is to be created. The hook of azd sets it back to false afterwards: deploying a hub again would overwrite its routes.')
param createHub bool = false

@description('Host name of an existing hub, where that is not NAME.azure-devices.net.')
param hubHostName string = ''

@description('Tier of the hub: how fast lines are retried; and the tier of a new hub. F1 and the basic tiers count as S1.')
@allowed(['S1', 'S2', 'S3'])
param hubTier string = 'S1'

@description('Units of the hub.')
@minValue(1)
@maxValue(200)
param hubUnits int = 1

@description('Whether changes of identities are mirrored: an Event Hubs namespace, a table, and two routes of the hub.')
param mirror bool = true

@description('How the hub reaches the container of a run: by its own identity, or by a user delegation signature.')
@allowed(['identity', 'sas'])
param storageAuth string = 'identity'

@description('Whether storage and Event Hubs can be reached through a virtual network only.')
param vnetEnabled bool = false

@description('Address space of that network; a /24 at least.')
param vnetAddressPrefix string = '10.90.0.0/24'

@description('Redundancy of the account that holds backups and reports. Standard_GRS keeps a copy in a second region.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param dataRedundancy string = 'Standard_LRS'

@description('Memory of an instance of the app.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('How many instances the app may have at most.')
@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@description('Where alerts are sent to. Empty: they are shown in the portal only.')
param alertEmail string = ''

@description('Age of the newest good backup that raises an alert, in hours; 0: none does. Two days and two hours: two of the daily backups were missed.')
@minValue(0)
param backupAlertHours int = 50

@description('Object id of a person or group that uses the command line: may read and write the data account.')
param operatorPrincipalId string = ''

@description('What the operator is.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string = 'User'

@description('More settings of the app, by name, over those made here (docs/settings.md). No secrets: settings can be read by everybody who may read the app.')
param settings Settings = {}

var tags = { 'azd-env-name': environmentName }
var suffix = toLower(uniqueString(subscription().id, environmentName, location))
var ownHubName = empty(hubName)
  ? (createHub ? 'iot-${suffix}' : fail('Which hub? Give hubName, or createHub for a new one.'))
  : hubName
var identityName = 'id-hubkeeper-${suffix}'
var hostStorageName = 'sthost${suffix}'
var dataStorageName = 'stdata${suffix}'
var insightsName = 'appi-${suffix}'
var eventsName = 'evhns-${suffix}'
var eventHubName = 'registry-events'
var tableName = settings.?MIRROR_TABLE ?? 'hubkeepermirror'
var consumerGroup = settings.?MIRROR_CONSUMER_GROUP ?? 'hubkeeper'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'identity.bicep' = {
  scope: group
  params: { name: identityName, location: location, tags: tags }
}

module monitoring 'monitoring.bicep' = {
  scope: group
  params: { insightsName: insightsName, workspaceName: 'log-${suffix}', location: location, tags: tags }
}

module network 'network.bicep' = if (vnetEnabled) {
  scope: group
  params: { name: 'vnet-${suffix}', location: location, tags: tags, addressPrefix: vnetAddressPrefix, mirror: mirror }
}

// The host's own account: its leases and keys, the code, durable state. Nobody but the app gets rights on it.
module hostStorage 'storage.bicep' = {
  scope: group
  params: {
    name: hostStorageName
    location: location
    tags: tags
    redundancy: 'Standard_LRS'
    containers: ['app-package']
    isPrivate: vnetEnabled
  }
}

// The data: drop box, runs, reports, backups, the mirror. The hub and people get rights on this one alone.
module dataStorage 'storage.bicep' = {
  scope: group
  params: {
    name: dataStorageName
    location: location
    tags: tags
    redundancy: dataRedundancy
    containers: [
      settings.?PROVISION_CONTAINER ?? 'provision'
      'provision-results'
      'hubkeeper-runs'
      'registry-backups'
      'hubkeeper-mirror'
    ]
    queues: ['webjobs-blobtrigger-poison']
    tables: mirror ? [tableName] : []
    isPrivate: vnetEnabled
  }
}

module hub 'hub.bicep' = if (createHub) {
  scope: group
  params: { name: ownHubName, location: location, tags: tags, tier: hubTier, units: hubUnits }
}

module events 'events.bicep' = if (mirror) {
  scope: group
  params: {
    name: eventsName
    eventHubName: eventHubName
    location: location
    tags: tags
    consumerGroup: consumerGroup
    isPrivate: vnetEnabled
  }
}

module dropEvents 'dropEvents.bicep' = {
  scope: group
  params: { name: 'evgt-${suffix}', location: location, tags: tags, storageAccountId: dataStorage.outputs.id }
}

module endpoints 'endpoints.bicep' = if (vnetEnabled) {
  scope: group
  params: {
    location: location
    tags: tags
    subnetId: network!.outputs.endpointSubnetId
    zoneIds: network!.outputs.zoneIds
    hostStorageId: hostStorage.outputs.id
    dataStorageId: dataStorage.outputs.id
    eventsId: mirror ? events!.outputs.namespaceId : ''
  }
}

module rights 'rights.bicep' = {
  scope: group
  params: {
    identityName: identityName
    hostStorageName: hostStorageName
    dataStorageName: dataStorageName
    insightsName: insightsName
    eventsName: mirror ? eventsName : ''
    eventHubName: eventHubName
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
  }
  dependsOn: [identity, hostStorage, dataStorage, monitoring, events]
}

module app 'app.bicep' = {
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    identityId: identity.outputs.id
    clientId: identity.outputs.clientId
    hostStorage: hostStorage.outputs.endpoints
    dataStorage: dataStorage.outputs.endpoints
    packageContainerUri: '${hostStorage.outputs.endpoints.blob}app-package'
    insightsName: insightsName
    events: mirror
      ? {
          namespace: events!.outputs.fullyQualifiedNamespace
          eventHub: eventHubName
          consumerGroup: consumerGroup
        }
      : null
    hub: {
      hostName: createHub
        ? hub!.outputs.hostName
        : (empty(hubHostName) ? '${ownHubName}.azure-devices.net' : hubHostName)
      tier: hubTier
      units: hubUnits
    }
    // A signature does not get through a closed account; the identity of a hub does, as a trusted service.
    storageAuth: vnetEnabled && storageAuth == 'sas' ? fail('vnetEnabled needs storageAuth identity.') : storageAuth
    instanceMemoryMB: instanceMemoryMB
    maximumInstances: maximumInstances
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    settings: settings
  }
  // Started before its rights are there, the host fails until it is restarted.
  dependsOn: [monitoring, rights, endpoints]
}

module alerts 'alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
    mirror: mirror
    backupHours: backupAlertHours
  }
}

// azd writes these into its environment, where the hooks and the command line find them. None is a secret.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_LOCATION string = location
output FUNCTION_APP_NAME string = app.outputs.name
output HUBKEEPER_API string = 'https://${app.outputs.hostName}/api'
output HUBKEEPER_STORAGE__blobServiceUri string = dataStorage.outputs.endpoints.blob
output HUBKEEPER_STORAGE_ID string = dataStorage.outputs.id
output HUBKEEPER_PRINCIPAL_ID string = identity.outputs.principalId
output HUBKEEPER_DROP_TOPIC_ID string = dropEvents.outputs.id
output PROVISION_CONTAINER string = settings.?PROVISION_CONTAINER ?? 'provision'
output IOTHUB_NAME string = ownHubName
output HUBKEEPER_EVENT_HUB_ID string = mirror ? events!.outputs.eventHubId : ''
output HUBKEEPER_EVENTS_NAMESPACE string = mirror ? events!.outputs.fullyQualifiedNamespace : ''
output HUBKEEPER_STORAGE_AUTH string = storageAuth
