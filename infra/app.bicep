// The app: a Flex Consumption plan, and its settings.

import { Settings, StorageEndpoints, Tags } from 'types.bicep'

param suffix string
param location string
param tags Tags
param identityId string
param clientId string
param hostStorage StorageEndpoints
param dataStorage StorageEndpoints
param packageContainerUri string
param insightsName string

@description('Where the events of the hub are read; null: nothing is mirrored.')
param events { namespace: string, eventHub: string, consumerGroup: string }?
param hub { hostName: string, tier: string, units: int }
param storageAuth string
param instanceMemoryMB int
param maximumInstances int

@description('Subnet that the app calls from; empty: it is in no network.')
param subnetId string
param settings Settings

// Of a connection X: where it is (X__…Uri), and that it is reached with the identity of the app. There is no key anywhere.
var connections = {
  AzureWebJobsStorage__blobServiceUri: hostStorage.blob
  AzureWebJobsStorage__queueServiceUri: hostStorage.queue
  AzureWebJobsStorage__tableServiceUri: hostStorage.table
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: clientId
  HUBKEEPER_STORAGE__blobServiceUri: dataStorage.blob
  HUBKEEPER_STORAGE__queueServiceUri: dataStorage.queue
  HUBKEEPER_STORAGE__tableServiceUri: dataStorage.table
  HUBKEEPER_STORAGE__credential: 'managedidentity'
  HUBKEEPER_STORAGE__clientId: clientId
  IOTHUB: hub.hostName
  HUB_TIER: hub.tier
  HUB_UNITS: string(hub.units)
  STORAGE_AUTH: storageAuth
}

// The plan has no blob trigger of another source.
var triggers = { BLOB_TRIGGER_SOURCE: 'EventGrid' }

var mirror = events == null
  ? {}
  : {
      MIRROR_EVENTS__fullyQualifiedNamespace: events!.namespace
      MIRROR_EVENTS__credential: 'managedidentity'
      MIRROR_EVENTS__clientId: clientId
      MIRROR_EVENT_HUB: events!.eventHub
      MIRROR_CONSUMER_GROUP: events!.consumerGroup
    }

// No secret: it says where telemetry is sent, and only identities may send any.
var telemetry = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${suffix}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  // At most 32 characters: a longer name is cut off to become the id of the host, which two apps must not share.
  name: 'func-hubkeeper-${suffix}'
  location: location
  // azd finds the app by the second tag.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      // What FUNCTIONS_WORKER_RUNTIME is on other plans; this one refuses that setting.
      runtime: { name: 'node', version: '22' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUri
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstances
      }
    }
    siteConfig: { minTlsVersion: '1.2' }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(connections, triggers, mirror, telemetry, settings)
  }

  // Passwords for deployment: none. azd, the Azure CLI and GitHub Actions deploy with an identity.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName
