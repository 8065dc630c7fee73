#!/bin/sh
# After azd deploy: subscribes the app to the files that land in the drop box. Event Grid calls the app with one of its keys,
# which exists only once the app has run, and asks it at once whether it wants the events; so this cannot be in a template.
# The key goes from the app to Event Grid through a file that only its owner may read, and is never shown.
set -eu
# shellcheck source=infra/hooks/common.sh
. "$(dirname "$0")/common.sh"
need AZURE_SUBSCRIPTION_ID AZURE_RESOURCE_GROUP FUNCTION_APP_NAME HUBKEEPER_API HUBKEEPER_DROP_TOPIC_ID PROVISION_CONTAINER

tries=${HUBKEEPER_HOOK_TRIES:-40}
pause=${HUBKEEPER_HOOK_PAUSE:-15}
subscription="$HUBKEEPER_DROP_TOPIC_ID/eventSubscriptions/provision-drops?api-version=2025-02-15"

# again WHY: waits for the next try, or gives up.
again() {
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || die "$1 Look at the log of the app, then run azd hooks run postdeploy."
  say "$1 Next try in $pause s."
  sleep "$pause"
}

while :; do
  key=$(az functionapp keys list --name "$FUNCTION_APP_NAME" --resource-group "$AZURE_RESOURCE_GROUP" --subscription "$AZURE_SUBSCRIPTION_ID" --query systemKeys.blobs_extension --output tsv 2>/dev/null) || key=
  [ -z "$key" ] || break
  again 'The app has not started yet: it has no key for blob events.'
done

umask 077
body=$(mktemp)
trap 'rm -f "$body"' EXIT
cat >"$body" <<END
{
  "properties": {
    "destination": {
      "endpointType": "WebHook",
      "properties": {
        "endpointUrl": "${HUBKEEPER_API%/api}/runtime/webhooks/blobs?functionName=Host.Functions.provisionOnBlob&code=$key"
      }
    },
    "eventDeliverySchema": "EventGridSchema",
    "filter": {
      "includedEventTypes": ["Microsoft.Storage.BlobCreated"],
      "subjectBeginsWith": "/blobServices/default/containers/$PROVISION_CONTAINER/"
    },
    "retryPolicy": { "maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440 }
  }
}
END

put() {
  az rest --method put --url "$subscription" --headers Content-Type=application/json --body "@$body" --output none
}

put
while :; do
  state=$(az rest --method get --url "$subscription" --query properties.provisioningState --output tsv)
  case $state in
    Succeeded) break ;;
    Failed) again 'The app did not answer to Event Grid.' && put ;;
    *) again "The subscription is $state." ;;
  esac
done
say "Files that land in $PROVISION_CONTAINER start their runs."
