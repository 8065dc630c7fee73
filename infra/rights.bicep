// Who may do what: every role assignment of the template, each with the calls that need it. The rights of a hub, and those
// on a hub, are given by hooks/hub.sh and .ps1, as the hub may lie in another resource group.

param identityName string
param hostStorageName string
param dataStorageName string
param insightsName string

@description('Name of the Event Hubs namespace; empty: nothing is mirrored.')
param eventsName string
param eventHubName string

@description('Object id of who uses the command line; empty: nobody.')
param operatorPrincipalId string
param operatorPrincipalType string

var roles = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  eventHubsDataReceiver: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostStorageName
}

resource dataStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataStorageName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource namespace 'Microsoft.EventHub/namespaces@2026-01-01' existing = if (!empty(eventsName)) {
  name: eventsName

  resource eventHub 'eventhubs' existing = {
    name: eventHubName
  }
}

// The host: leases of its instances, keys of its functions (azure-webjobs-secrets), times of timers, positions in
// partitions (azure-webjobs-eventhub), large messages of durable functions; the plan: the package of the app. It is the role
// that the Functions documentation asks for on the host's account.
resource hostBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: hostStorage
  name: guid(hostStorage.id, identity.id, roles.storageBlobDataOwner)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataOwner)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// The host: control and work item queues of durable functions, the inner queue of the blob trigger.
resource hostQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: hostStorage
  name: guid(hostStorage.id, identity.id, roles.storageQueueDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageQueueDataContributor
    )
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// The host: history and instances of durable functions.
resource hostTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: hostStorage
  name: guid(hostStorage.id, identity.id, roles.storageTableDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageTableDataContributor
    )
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// The app: drops, runs, reports, backups, notes of the mirror (BlobServiceClient); a container is made and removed for each
// run, hence on the account. With STORAGE_AUTH=sas also the key of user delegation signatures.
resource dataBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: dataStorage
  name: guid(dataStorage.id, identity.id, roles.storageBlobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageBlobDataContributor
    )
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// The host: the blob trigger puts what has failed five times into webjobs-blobtrigger-poison of the account it watches.
resource dataQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: dataStorage
  name: guid(dataStorage.id, identity.id, roles.storageQueueDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageQueueDataContributor
    )
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// The app: rows of the mirror (TableClient).
resource dataTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(eventsName)) {
  scope: dataStorage
  name: guid(dataStorage.id, identity.id, roles.storageTableDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageTableDataContributor
    )
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// The host: the Event Hub trigger receives, and the plan reads the positions of partitions to know how many instances are
// wanted. The app: the lag of the mirror (EventHubConsumerClient.getPartitionProperties).
resource events 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(eventsName)) {
  scope: namespace::eventHub
  name: guid(namespace::eventHub.id, identity.id, roles.eventHubsDataReceiver)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataReceiver)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// The host and the app: traces, logs and metrics.
resource telemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identity.id, roles.monitoringMetricsPublisher)
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// A person: the command line drops files, reads runs, reports and backups.
resource operator 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorPrincipalId)) {
  scope: dataStorage
  name: guid(dataStorage.id, operatorPrincipalId, roles.storageBlobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageBlobDataContributor
    )
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
  }
}
