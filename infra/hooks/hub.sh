#!/bin/sh
# Gives a hub, and HubKeeper on it, what both need; or takes it back.
#
#   hub.sh add [NAME GROUP]      after azd provision; for each further hub by hand
#   hub.sh remove [NAME GROUP]   before azd down
#
# Why not in the templates: endpoints and routes are properties of a hub, so a template that has them has to hold the whole
# hub, and would overwrite everything in it that it does not know. And azd down deletes each resource group that a deployment
# has put something into: here the hub's.
set -eu
# shellcheck source=infra/hooks/common.sh
. "$(dirname "$0")/common.sh"
need AZURE_SUBSCRIPTION_ID AZURE_RESOURCE_GROUP HUBKEEPER_PRINCIPAL_ID HUBKEEPER_STORAGE_ID

what=${1:-}
if [ $# -ge 3 ]; then
  hub=$2
  group=$3
else
  need IOTHUB_NAME
  hub=$IOTHUB_NAME
  group=${IOTHUB_RESOURCE_GROUP:-$AZURE_RESOURCE_GROUP}
fi
# A right that was just given is not known everywhere for some minutes.
tries=${HUBKEEPER_HOOK_TRIES:-40}
pause=${HUBKEEPER_HOOK_PAUSE:-15}

hub_az() {
  az iot hub "$@" --resource-group "$group" --subscription "$AZURE_SUBSCRIPTION_ID"
}

# of_hub QUERY: of the description of the hub.
of_hub() {
  hub_az show --name "$hub" --query "$1" --output tsv
}

# grant PRINCIPAL ROLE SCOPE [CONDITION]
grant() {
  if [ $# -eq 4 ]; then
    set -- --assignee-object-id "$1" --role "$2" --scope "$3" --condition "$4" --condition-version 2.0
  else
    set -- --assignee-object-id "$1" --role "$2" --scope "$3"
  fi
  if ! answer=$(az role assignment create --assignee-principal-type ServicePrincipal "$@" --output none 2>&1); then
    case $answer in
      *RoleAssignmentExists*) ;;
      *) die "A role could not be assigned, which takes the right to assign roles (Role Based Access Control Administrator): $answer" ;;
    esac
  fi
}

# For the mirror: the event hub, and the endpoint and routes named after its namespace, so that several HubKeepers may
# mirror one hub.
event_hub=${HUBKEEPER_EVENT_HUB_ID:-}
if [ -n "$event_hub" ]; then
  need HUBKEEPER_EVENTS_NAMESPACE
  endpoint="hubkeeper-${HUBKEEPER_EVENTS_NAMESPACE%%.*}"
fi

has_route() {
  [ -n "$(of_hub "properties.routing.routes[?name=='$1'].name | [0]")" ]
}

has_endpoint() {
  [ -n "$(of_hub "properties.routing.endpoints.eventHubs[?name=='$endpoint'].name | [0]")" ]
}

# add_route NAME SOURCE. The fallback route is left as it is: it is about telemetry, which these routes are not.
add_route() {
  has_route "$1" && return
  hub_az message-route create --hub-name "$hub" --route-name "$1" --endpoint-name "$endpoint" --source "$2" --condition true --enabled true --output none
  say "The hub $hub routes $2 to $endpoint."
}

add_endpoint() {
  has_endpoint && return
  while ! answer=$(hub_az message-endpoint create eventhub --hub-name "$hub" --endpoint-name "$endpoint" \
    --endpoint-resource-group "$AZURE_RESOURCE_GROUP" --endpoint-uri "sb://$HUBKEEPER_EVENTS_NAMESPACE" \
    --entity-path "${event_hub##*/}" --identity '[system]' --output none 2>&1); do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || die "The hub $hub does not reach the event hub: $answer"
    say "The hub $hub does not reach the event hub yet: its right has just been given. Next try in $pause s."
    sleep "$pause"
  done
}

add() {
  hub_id=$(of_hub id) || die "There is no hub $hub in the resource group $group, or you may not read it."
  # The app: jobs, identities, twins, configurations, queries, statistics. The two narrower roles (registry, twins) have
  # neither jobs nor configurations.
  grant "$HUBKEEPER_PRINCIPAL_ID" 'IoT Hub Data Contributor' "$hub_id"

  if [ "${HUBKEEPER_STORAGE_AUTH:-identity}" = identity ] || [ -n "$event_hub" ]; then
    principal=$(of_hub identity.principalId)
    if [ -z "$principal" ]; then
      hub_az identity assign --name "$hub" --system-assigned --output none
      principal=$(of_hub identity.principalId)
      say "The hub $hub has a system-assigned identity now."
    fi
  fi
  if [ "${HUBKEEPER_STORAGE_AUTH:-identity}" = identity ]; then
    # The hub: its import and export jobs read and write blobs, in the containers of runs only.
    grant "$principal" 'Storage Blob Data Contributor' "$HUBKEEPER_STORAGE_ID" "$(cat "$(dirname "$0")/runContainersOnly.txt")"
  fi
  if [ -n "$event_hub" ]; then
    # The hub: its routes send lifecycle and twin change events.
    grant "$principal" 'Azure Event Hubs Data Sender' "$event_hub"
    az extension add --name azure-iot --upgrade --yes --only-show-errors
    add_endpoint
    add_route "$endpoint-lifecycle" DeviceLifecycleEvents
    add_route "$endpoint-twins" TwinChangeEvents
  fi

  if [ "${IOTHUB_CREATE:-false}" = true ] && [ "$hub" = "${IOTHUB_NAME:-}" ]; then
    # From now on it is a hub that exists: to deploy it once more would remove the routes.
    azd env set IOTHUB_CREATE false
    azd env set IOTHUB_RESOURCE_GROUP "$group"
  fi
  say "The hub $hub is ready."
}

remove() {
  # A hub in the group of the app is deleted with it.
  [ "$group" != "$AZURE_RESOURCE_GROUP" ] || return 0
  hub_id=$(of_hub id) || { say "There is no hub $hub any more."; return 0; }
  if [ -n "$event_hub" ]; then
    az extension add --name azure-iot --upgrade --yes --only-show-errors
    for route in "$endpoint-lifecycle" "$endpoint-twins"; do
      if has_route "$route"; then hub_az message-route delete --hub-name "$hub" --route-name "$route" --yes --output none; fi
    done
    if has_endpoint; then hub_az message-endpoint delete --hub-name "$hub" --endpoint-name "$endpoint" --yes --output none; fi
  fi
  az role assignment delete --assignee "$HUBKEEPER_PRINCIPAL_ID" --role 'IoT Hub Data Contributor' --scope "$hub_id" --yes --output none
  say "The hub $hub routes nothing to HubKeeper any more. It keeps its system-assigned identity, which nothing else tells whether it needs."
}

case $what in
  add) add ;;
  remove) remove ;;
  *) die 'usage: hub.sh add|remove [NAME GROUP]' ;;
esac
