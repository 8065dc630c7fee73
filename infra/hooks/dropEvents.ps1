# After azd deploy: subscribes the app to the files that land in the drop box. Does the same as dropEvents.sh, which says why.
. "$PSScriptRoot/common.ps1"
Assert-Values AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP, FUNCTION_APP_NAME, HUBKEEPER_API, HUBKEEPER_DROP_TOPIC_ID, PROVISION_CONTAINER
$app = Get-Value 'FUNCTION_APP_NAME'
$group = Get-Value 'AZURE_RESOURCE_GROUP'
$azureSubscription = Get-Value 'AZURE_SUBSCRIPTION_ID'
$container = Get-Value 'PROVISION_CONTAINER'
$subscription = "$(Get-Value 'HUBKEEPER_DROP_TOPIC_ID')/eventSubscriptions/provision-drops?api-version=2025-02-15"
$script:tries = [int](Get-Value 'HUBKEEPER_HOOK_TRIES' '40')
$pause = [int](Get-Value 'HUBKEEPER_HOOK_PAUSE' '15')

# Waits for the next try, or gives up.
function Wait-Again([string] $why) {
  $script:tries--
  if ($script:tries -le 0) { Stop-Hook "$why Look at the log of the app, then run azd hooks run postdeploy." }
  Write-Step "$why Next try in $pause s."
  Start-Sleep -Seconds $pause
}

while ($true) {
  $keys = Test-Call { az functionapp keys list --name $app --resource-group $group --subscription $azureSubscription --query systemKeys.blobs_extension --output tsv 2>$null }
  if ($keys.Ok -and $keys.Text) { break }
  Wait-Again 'The app has not started yet: it has no key for blob events.'
}

# In a folder of its own, which on Windows only its owner may read; elsewhere the file is closed to others.
$body = [IO.Path]::GetTempFileName()
if (-not $IsWindows) { [IO.File]::SetUnixFileMode($body, 'UserRead, UserWrite') }
try {
  $endpoint = "$((Get-Value 'HUBKEEPER_API') -replace '/api$', '')/runtime/webhooks/blobs?functionName=Host.Functions.provisionOnBlob&code=$($keys.Text)"
  @{
    properties = @{
      destination = @{ endpointType = 'WebHook'; properties = @{ endpointUrl = $endpoint } }
      eventDeliverySchema = 'EventGridSchema'
      filter = @{
        includedEventTypes = @('Microsoft.Storage.BlobCreated')
        subjectBeginsWith = "/blobServices/default/containers/$container/"
      }
      retryPolicy = @{ maxDeliveryAttempts = 30; eventTimeToLiveInMinutes = 1440 }
    }
  } | ConvertTo-Json -Depth 9 | Set-Content -Path $body -Encoding utf8NoBOM

  function Set-Subscription {
    az rest --method put --url $subscription --headers Content-Type=application/json --body "@$body" --output none
  }

  Set-Subscription
  while ($true) {
    $state = az rest --method get --url $subscription --query properties.provisioningState --output tsv
    if ($state -eq 'Succeeded') { break }
    if ($state -eq 'Failed') {
      Wait-Again 'The app did not answer to Event Grid.'
      Set-Subscription
    } else {
      Wait-Again "The subscription is $state."
    }
  }
} finally {
  Remove-Item -Force $body
}
Write-Step "Files that land in $container start their runs."
