# Before azd provision: which hub it is about, and what it is like. Changes nothing in Azure but, with VNET_ENABLED, the
# registration of a resource provider. Does the same as preprovision.sh.
. "$PSScriptRoot/common.ps1"
Assert-Values AZURE_ENV_NAME, AZURE_SUBSCRIPTION_ID
$subscription = Get-Value 'AZURE_SUBSCRIPTION_ID'

if ((Get-Value 'VNET_ENABLED') -eq 'true') {
  # The subnet of the app is delegated to a service of this provider, which no resource of the template is of.
  az provider register --namespace Microsoft.App --subscription $subscription --output none
}

$hub = Get-Value 'IOTHUB_NAME'
$group = Get-Value 'IOTHUB_RESOURCE_GROUP'

if ((Get-Value 'IOTHUB_CREATE') -eq 'true') {
  # One that was created before, of which a pipeline has no memory: deployed again, it would lose its routes.
  $group = "rg-$(Get-Value 'AZURE_ENV_NAME')"
  $created = Test-Call { az resource list --subscription $subscription --resource-group $group --resource-type Microsoft.Devices/IotHubs --query '[0].name' --output tsv 2>$null }
  if (-not $created.Ok -or -not $created.Text) {
    Write-Step 'A new IoT hub will be created.'
    exit 0
  }
  $hub = $created.Text
  azd env set IOTHUB_CREATE false
  azd env set IOTHUB_NAME $hub
  azd env set IOTHUB_RESOURCE_GROUP $group
}

if (-not $hub -and -not [Console]::IsInputRedirected) {
  Write-Step 'Hubs of this subscription:'
  az resource list --subscription $subscription --resource-type Microsoft.Devices/IotHubs --query '[].name' --output tsv
  $hub = Read-Host 'Name of the IoT hub that HubKeeper is to look after (empty: a new one is created)'
  if (-not $hub) {
    azd env set IOTHUB_CREATE true
    exit 0
  }
  azd env set IOTHUB_NAME $hub
}
if (-not $hub) {
  Stop-Hook 'Which hub? Run azd env set IOTHUB_NAME NAME for an existing one, or azd env set IOTHUB_CREATE true for a new one.'
}

if (-not $group) {
  $group = az resource list --subscription $subscription --resource-type Microsoft.Devices/IotHubs --name $hub --query '[0].resourceGroup' --output tsv
  if (-not $group) { Stop-Hook "There is no hub $hub in the subscription $subscription, or you may not read it." }
  azd env set IOTHUB_RESOURCE_GROUP $group
}

$found = Test-Call { az iot hub show --name $hub --resource-group $group --subscription $subscription --output json }
if (-not $found.Ok) {
  Stop-Hook "There is no hub $hub in the resource group $group, or you may not read it."
}
$description = $found.Text | ConvertFrom-Json
$sku = $description.sku
$tier = if ($sku.name -in 'S1', 'S2', 'S3') { $sku.name } else { 'S1' }
azd env set IOTHUB_HOST_NAME $description.properties.hostName
azd env set IOTHUB_TIER $tier
azd env set IOTHUB_UNITS $sku.capacity
Write-Step "The hub $($description.properties.hostName): $($sku.name), $($sku.capacity) units."
