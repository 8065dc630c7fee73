// A network for the app, with a subnet that it calls from and one for the private endpoints of what it calls.

import { Tags, ZoneIds } from 'types.bicep'

param name string
param location string
param tags Tags
param addressPrefix string

@description('Whether there is an Event Hubs namespace to be reached.')
param mirror bool

var zones = [
  ...map(['blob', 'queue', 'table'], service => {
    key: service
    name: 'privatelink.${service}.${environment().suffixes.storage}'
  })
  ...(mirror ? [{ key: 'namespace', name: 'privatelink.servicebus.windows.net' }] : [])
]

resource network 'Microsoft.Network/virtualNetworks@2025-01-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
  }

  resource appSubnet 'subnets' = {
    name: 'app'
    properties: {
      addressPrefix: cidrSubnet(addressPrefix, 25, 0)
      delegations: [
        // The plan runs its instances in this service.
        { name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }
      ]
    }
  }

  resource endpointSubnet 'subnets' = {
    name: 'endpoints'
    properties: {
      addressPrefix: cidrSubnet(addressPrefix, 26, 2)
      defaultOutboundAccess: false
    }
    // Two subnets of a network cannot be changed at once.
    dependsOn: [appSubnet]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for entry in zones: {
    name: entry.name
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (entry, index) in zones: {
    parent: zone[index]
    name: name
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

output appSubnetId string = network::appSubnet.id
output endpointSubnetId string = network::endpointSubnet.id
output zoneIds ZoneIds = toObject(
  zones,
  entry => entry.key,
  entry => resourceId('Microsoft.Network/privateDnsZones', entry.name)
)
