#!/bin/sh
# Before azd provision: which hub it is about, and what it is like. Changes nothing in Azure but, with VNET_ENABLED, the
# registration of a resource provider.
set -eu
# shellcheck source=infra/hooks/common.sh
. "$(dirname "$0")/common.sh"
need AZURE_ENV_NAME AZURE_SUBSCRIPTION_ID

if [ "${VNET_ENABLED:-false}" = true ]; then
  # The subnet of the app is delegated to a service of this provider, which no resource of the template is of.
  az provider register --namespace Microsoft.App --subscription "$AZURE_SUBSCRIPTION_ID" --output none
fi

if [ "${IOTHUB_CREATE:-false}" = true ]; then
  # One that was created before, of which a pipeline has no memory: deployed again, it would lose its routes.
  group="rg-$AZURE_ENV_NAME"
  created=$(az resource list --subscription "$AZURE_SUBSCRIPTION_ID" --resource-group "$group" --resource-type Microsoft.Devices/IotHubs --query '[0].name' --output tsv 2>/dev/null) || created=
  if [ -z "$created" ]; then
    say 'A new IoT hub will be created.'
    exit 0
  fi
  IOTHUB_NAME=$created
  IOTHUB_RESOURCE_GROUP=$group
  azd env set IOTHUB_CREATE false
  azd env set IOTHUB_NAME "$created"
  azd env set IOTHUB_RESOURCE_GROUP "$group"
fi

if [ -z "${IOTHUB_NAME:-}" ] && [ -t 0 ]; then
  say 'Hubs of this subscription:'
  az resource list --subscription "$AZURE_SUBSCRIPTION_ID" --resource-type Microsoft.Devices/IotHubs --query '[].name' --output tsv
  printf 'Name of the IoT hub that HubKeeper is to look after (empty: a new one is created): '
  read -r IOTHUB_NAME
  if [ -z "$IOTHUB_NAME" ]; then
    azd env set IOTHUB_CREATE true
    exit 0
  fi
  azd env set IOTHUB_NAME "$IOTHUB_NAME"
fi
[ -n "${IOTHUB_NAME:-}" ] || die 'Which hub? Run azd env set IOTHUB_NAME NAME for an existing one, or azd env set IOTHUB_CREATE true for a new one.'

if [ -z "${IOTHUB_RESOURCE_GROUP:-}" ]; then
  IOTHUB_RESOURCE_GROUP=$(az resource list --subscription "$AZURE_SUBSCRIPTION_ID" --resource-type Microsoft.Devices/IotHubs --name "$IOTHUB_NAME" --query '[0].resourceGroup' --output tsv)
  [ -n "$IOTHUB_RESOURCE_GROUP" ] || die "There is no hub $IOTHUB_NAME in the subscription $AZURE_SUBSCRIPTION_ID, or you may not read it."
  azd env set IOTHUB_RESOURCE_GROUP "$IOTHUB_RESOURCE_GROUP"
fi

hub=$(az iot hub show --name "$IOTHUB_NAME" --resource-group "$IOTHUB_RESOURCE_GROUP" --subscription "$AZURE_SUBSCRIPTION_ID" --query '[properties.hostName, sku.name, to_string(sku.capacity)]' --output tsv) ||
  die "There is no hub $IOTHUB_NAME in the resource group $IOTHUB_RESOURCE_GROUP, or you may not read it."
# Three values, divided by line ends or tabs.
# shellcheck disable=SC2086
set -- $hub
case $2 in S1 | S2 | S3) tier=$2 ;; *) tier=S1 ;; esac
azd env set IOTHUB_HOST_NAME "$1"
azd env set IOTHUB_TIER "$tier"
azd env set IOTHUB_UNITS "$3"
say "The hub $1: $2, $3 units."
