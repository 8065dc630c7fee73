# shellcheck shell=sh
# What the hooks share. Sourced, not run.

die() {
  printf 'hubkeeper: %s\n' "$*" >&2
  exit 1
}

say() {
  printf 'hubkeeper: %s\n' "$*"
}

# Run by azd, a hook has the values of its environment; run by hand, it asks azd for them.
if [ -z "${AZURE_ENV_NAME:-}" ] && values=$(azd env get-values 2>/dev/null); then
  set -a
  eval "$values"
  set +a
fi

# need NAME...: stops unless each of the variables has a value.
need() {
  for name in "$@"; do
    eval "[ -n \"\${$name:-}\" ]" || die "$name is not set. Run azd provision first, or set it to the output of the deployment of that name."
  done
}

command -v az >/dev/null 2>&1 || die 'The Azure CLI (az) is missing. Install it and run az login.'
az account show --output none 2>/dev/null || die 'The Azure CLI is not signed in. Run az login (azd has a login of its own).'
