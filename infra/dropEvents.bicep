// The topic that says that a file landed. The Flex Consumption plan has no trigger that scans containers.
//
// The subscription to it is made by hooks/dropEvents.sh and .ps1 after the app is deployed: Event Grid asks the app whether
// it wants the events, and the address has a key of the app in it.

import { Tags } from 'types.bicep'

param name string
param location string
param tags Tags
param storageAccountId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    source: storageAccountId
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

output id string = topic.id
