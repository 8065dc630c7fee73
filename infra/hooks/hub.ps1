# Gives a hub, and HubKeeper on it, what both need; or takes it back. Does the same as hub.sh, which says why.
#
#   hub.ps1 add [NAME GROUP]      after azd provision; for each further hub by hand
#   hub.ps1 remove [NAME GROUP]   before azd down
param(
  [Parameter(Mandatory)] [ValidateSet('add', 'remove')] [string] $what,
  [string] $hub,
  [string] $group
)
. "$PSScriptRoot/common.ps1"
Assert-Values AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP, HUBKEEPER_PRINCIPAL_ID, HUBKEEPER_STORAGE_ID
$appGroup = Get-Value 'AZURE_RESOURCE_GROUP'
if (-not $group) {
  Assert-Values IOTHUB_NAME
  $hub = Get-Value 'IOTHUB_NAME'
  $group = Get-Value 'IOTHUB_RESOURCE_GROUP' $appGroup
}
$where = '--resource-group', $group, '--subscription', (Get-Value 'AZURE_SUBSCRIPTION_ID')
$principalOfApp = Get-Value 'HUBKEEPER_PRINCIPAL_ID'
$byIdentity = (Get-Value 'HUBKEEPER_STORAGE_AUTH' 'identity') -eq 'identity'
# A right that was just given is not known everywhere for some minutes.
$tries = [int](Get-Value 'HUBKEEPER_HOOK_TRIES' '40')
$pause = [int](Get-Value 'HUBKEEPER_HOOK_PAUSE' '15')

# For the mirror: the event hub, and the endpoint and routes named after its namespace, so that several HubKeepers may
# mirror one hub.
$eventHub = Get-Value 'HUBKEEPER_EVENT_HUB_ID'
if ($eventHub) {
  Assert-Values HUBKEEPER_EVENTS_NAMESPACE
  $namespace = Get-Value 'HUBKEEPER_EVENTS_NAMESPACE'
  $endpoint = "hubkeeper-$($namespace.Split('.')[0])"
}

# The description of the hub; nothing, if it cannot be read.
function Get-Hub {
  $found = Test-Call { az iot hub show --name $hub @where --output json }
  if ($found.Ok) { $found.Text | ConvertFrom-Json }
}

function Grant([string] $principal, [string] $role, [string] $scope, [string[]] $more = @()) {
  $granted = Test-Call {
    az role assignment create --assignee-principal-type ServicePrincipal --assignee-object-id $principal --role $role --scope $scope @more --output none
  }
  if (-not $granted.Ok -and $granted.Text -notmatch 'RoleAssignmentExists') {
    Stop-Hook "A role could not be assigned, which takes the right to assign roles (Role Based Access Control Administrator): $($granted.Text)"
  }
}

# The fallback route is left as it is: it is about telemetry, which these routes are not.
function Add-Route([string] $name, [string] $source) {
  if ($name -in (Get-Hub).properties.routing.routes.name) { return }
  az iot hub message-route create --hub-name $hub --route-name $name --endpoint-name $endpoint --source $source --condition true --enabled true --output none @where
  Write-Step "The hub $hub routes $source to $endpoint."
}

function Add-Endpoint {
  if ($endpoint -in (Get-Hub).properties.routing.endpoints.eventHubs.name) { return }
  for ($left = $tries - 1; ; $left--) {
    $added = Test-Call {
      az iot hub message-endpoint create eventhub --hub-name $hub --endpoint-name $endpoint --endpoint-resource-group $appGroup --endpoint-uri "sb://$namespace" --entity-path $eventHub.Split('/')[-1] --identity '[system]' --output none @where
    }
    if ($added.Ok) { return }
    if ($left -le 0) { Stop-Hook "The hub $hub does not reach the event hub: $($added.Text)" }
    Write-Step "The hub $hub does not reach the event hub yet: its right has just been given. Next try in $pause s."
    Start-Sleep -Seconds $pause
  }
}

function Add-Hub {
  $description = Get-Hub
  if (-not $description) { Stop-Hook "There is no hub $hub in the resource group $group, or you may not read it." }
  # The app: jobs, identities, twins, configurations, queries, statistics. The two narrower roles (registry, twins) have
  # neither jobs nor configurations.
  Grant $principalOfApp 'IoT Hub Data Contributor' $description.id

  if ($byIdentity -or $eventHub) {
    $principal = $description.identity.principalId
    if (-not $principal) {
      az iot hub identity assign --name $hub --system-assigned --output none @where
      $principal = (Get-Hub).identity.principalId
      Write-Step "The hub $hub has a system-assigned identity now."
    }
  }
  if ($byIdentity) {
    # The hub: its import and export jobs read and write blobs, in the containers of runs only.
    $condition = (Get-Content -Raw "$PSScriptRoot/runContainersOnly.txt").Trim()
    Grant $principal 'Storage Blob Data Contributor' (Get-Value 'HUBKEEPER_STORAGE_ID') ('--condition', $condition, '--condition-version', '2.0')
  }
  if ($eventHub) {
    # The hub: its routes send lifecycle and twin change events.
    Grant $principal 'Azure Event Hubs Data Sender' $eventHub
    az extension add --name azure-iot --upgrade --yes --only-show-errors
    Add-Endpoint
    Add-Route "$endpoint-lifecycle" DeviceLifecycleEvents
    Add-Route "$endpoint-twins" TwinChangeEvents
  }

  if ((Get-Value 'IOTHUB_CREATE') -eq 'true' -and $hub -eq (Get-Value 'IOTHUB_NAME')) {
    # From now on it is a hub that exists: to deploy it once more would remove the routes.
    azd env set IOTHUB_CREATE false
    azd env set IOTHUB_RESOURCE_GROUP $group
  }
  Write-Step "The hub $hub is ready."
}

function Remove-Hub {
  # A hub in the group of the app is deleted with it.
  if ($group -eq $appGroup) { return }
  $description = Get-Hub
  if (-not $description) {
    Write-Step "There is no hub $hub any more."
    return
  }
  if ($eventHub) {
    az extension add --name azure-iot --upgrade --yes --only-show-errors
    foreach ($route in "$endpoint-lifecycle", "$endpoint-twins") {
      if ($route -in $description.properties.routing.routes.name) {
        az iot hub message-route delete --hub-name $hub --route-name $route --yes --output none @where
      }
    }
    if ($endpoint -in $description.properties.routing.endpoints.eventHubs.name) {
      az iot hub message-endpoint delete --hub-name $hub --endpoint-name $endpoint --yes --output none @where
    }
  }
  az role assignment delete --assignee $principalOfApp --role 'IoT Hub Data Contributor' --scope $description.id --yes --output none
  Write-Step "The hub $hub routes nothing to HubKeeper any more. It keeps its system-assigned identity, which nothing else tells whether it needs."
}

if ($what -eq 'add') { Add-Hub } else { Remove-Hub }
