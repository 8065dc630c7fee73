// Private endpoints of all that the app calls: without them it reaches nothing that is closed to the public.

import { Tags, ZoneIds } from 'types.bicep'

param location string
param tags Tags
param subnetId string

param zoneIds ZoneIds

param hostStorageId string
param dataStorageId string

@description('Id of the Event Hubs namespace; empty: there is none.')
param eventsId string

var targets = [
  ...flatten(map(
    [hostStorageId, dataStorageId],
    account => map(['blob', 'queue', 'table'], service => { id: account, service: service })
  ))
  ...(empty(eventsId) ? [] : [{ id: eventsId, service: 'namespace' }])
]

resource endpoint 'Microsoft.Network/privateEndpoints@2025-01-01' = [
  for target in targets: {
    name: 'pe-${last(split(target.id, '/'))}-${target.service}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: target.service
          properties: { privateLinkServiceId: target.id, groupIds: [target.service] }
        }
      ]
    }
  }
]

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-01-01' = [
  for (target, index) in targets: {
    parent: endpoint[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: target.service, properties: { privateDnsZoneId: zoneIds[target.service] } }]
    }
  }
]
