// Shapes that several templates share.

@export()
type Tags = { *: string }

@export()
@description('Settings of the app: every value is a text.')
type Settings = { *: string }

@export()
@description('Addresses of a storage account, each with a slash at the end.')
type StorageEndpoints = {
  blob: string
  queue: string
  table: string
}

@export()
@description('Id of the private DNS zone, by service.')
type ZoneIds = { *: string }
