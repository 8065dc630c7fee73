// The event hub that lifecycle and twin change events are routed to. Of its own, and not the endpoint that is built into a
// hub: that one takes no identities, carries all telemetry too, and loses its offsets when the hub fails over.

import { Tags } from 'types.bicep'

param name string
param eventHubName string
param location string
param tags Tags
param consumerGroup string

@description('Whether it is reached through a private endpoint only.')
param isPrivate bool

resource namespace 'Microsoft.EventHub/namespaces@2026-01-01' = {
  name: name
  location: location
  tags: tags
  // Basic has neither consumer groups nor private endpoints. One unit takes 1,000 events a second.
  sku: { name: 'Standard', tier: 'Standard', capacity: 1 }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
  }

  resource rules 'networkRuleSets' = if (isPrivate) {
    name: 'default'
    properties: {
      publicNetworkAccess: 'Disabled'
      defaultAction: 'Deny'
      // The hub comes from its own network, as a trusted service, with its identity.
      trustedServiceAccessEnabled: true
    }
  }

  resource eventHub 'eventhubs' = {
    name: eventHubName
    properties: {
      partitionCount: 4
      // An app that stands still for a weekend loses nothing.
      retentionDescription: { cleanupPolicy: 'Delete', retentionTimeInHours: 168 }
    }

    resource group 'consumergroups' = if (consumerGroup != '$Default') {
      name: consumerGroup
    }
  }
}

output namespaceId string = namespace.id
output eventHubId string = namespace::eventHub.id
output fullyQualifiedNamespace string = split(split(namespace.properties.serviceBusEndpoint, '/')[2], ':')[0]
