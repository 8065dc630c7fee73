# What the hooks share. Dot-sourced, not run.

$ErrorActionPreference = 'Stop'
# A program that fails ends the hook, unless it is asked for its result.
$PSNativeCommandUseErrorActionPreference = $true

function Stop-Hook([string] $message) {
  [Console]::Error.WriteLine("hubkeeper: $message")
  exit 1
}

function Write-Step([string] $message) {
  Write-Output "hubkeeper: $message"
}

# The value of an environment variable, or another one.
function Get-Value([string] $name, [string] $otherwise = '') {
  $value = [Environment]::GetEnvironmentVariable($name)
  if ($value) { $value } else { $otherwise }
}

# Stops unless each of the variables has a value.
function Assert-Values([string[]] $names) {
  foreach ($name in $names) {
    if (-not (Get-Value $name)) {
      Stop-Hook "$name is not set. Run azd provision first, or set it to the output of the deployment of that name."
    }
  }
}

# Runs a script block that calls a program: whether it went well, and what it said.
function Test-Call([scriptblock] $call) {
  $PSNativeCommandUseErrorActionPreference = $false
  $text = & $call 2>&1 | Out-String
  [pscustomobject]@{ Ok = $LASTEXITCODE -eq 0; Text = $text.Trim() }
}

# Run by azd, a hook has the values of its environment; run by hand, it asks azd for them.
if (-not (Get-Value 'AZURE_ENV_NAME') -and (Get-Command azd -ErrorAction SilentlyContinue)) {
  $values = Test-Call { azd env get-values --output json }
  if ($values.Ok) {
    foreach ($entry in ($values.Text | ConvertFrom-Json).PSObject.Properties) {
      [Environment]::SetEnvironmentVariable($entry.Name, $entry.Value)
    }
  }
}

if (-not (Get-Command az -ErrorAction SilentlyContinue)) {
  Stop-Hook 'The Azure CLI (az) is missing. Install it and run az login.'
}
if (-not (Test-Call { az account show --output none }).Ok) {
  Stop-Hook 'The Azure CLI is not signed in. Run az login (azd has a login of its own).'
}
