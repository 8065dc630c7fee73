// A new hub, without keys for services. Deployed once: to deploy it again would reset its routes and certificates.

import { Tags } from 'types.bicep'

param name string
param location string
param tags Tags
param tier string
param units int

resource hub 'Microsoft.Devices/IotHubs@2023-06-30' = {
  name: name
  location: location
  tags: tags
  sku: { name: tier, capacity: units }
  // With which it reaches the containers of runs and the event hub.
  identity: { type: 'SystemAssigned' }
  properties: {
    disableLocalAuth: true
    minTlsVersion: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

output hostName string = hub.properties.hostName
