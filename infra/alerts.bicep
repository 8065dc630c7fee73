// What somebody has to be told: each alert names the section of docs/operations.md that says what it means and what to do.
// All of them are queries of the workspace, over the metrics of src/lib/telemetry/metrics.ts and over what the host logs.

import { Tags } from 'types.bicep'

param location string
param tags Tags
param workspaceId string

@description('Where alerts are sent to; empty: nowhere.')
param email string

@description('Whether there is a mirror to be watched.')
param mirror bool

@description('Age of the newest good backup that raises an alert, in hours; 0: none does.')
param backupHours int

@description('Raised when a column of what the query returns is above, or below, a number; with a dimension, each of its values is an alert of its own.')
type Alert = {
  key: string
  title: string
  means: string
  @description('0 is critical, 1 an error, 2 a warning, 3 informational.')
  severity: int
  query: string
  column: string
  dimension: string?
  above: bool
  threshold: int
  window: ('PT15M' | 'PT1H')
}

var common Alert[] = [
  {
    key: 'run-failed'
    title: 'A run failed'
    means: 'A provisioning, backup, restore or other run ended as failed.'
    severity: 1
    query: '''
      AppMetrics
      | where Name == "hubkeeper.runs" and tostring(Properties.outcome) == "failed"
      | summarize Runs = sum(Sum) by Kind = tostring(Properties.kind)
    '''
    column: 'Runs'
    dimension: 'Kind'
    above: true
    threshold: 0
    window: 'PT15M'
  }
  {
    key: 'backup-damaged'
    title: 'A backup failed verification'
    means: 'A backup that was read again is not what its manifest says.'
    severity: 1
    query: '''
      AppMetrics
      | where Name == "hubkeeper.backup.verification" and tostring(Properties.outcome) == "damaged"
      | summarize Backups = sum(Sum) by Hub = tostring(Properties.hub)
    '''
    column: 'Backups'
    dimension: 'Hub'
    above: true
    threshold: 0
    window: 'PT1H'
  }
  {
    key: 'exceptions'
    title: 'Exceptions'
    means: 'Functions throw, more than five times in a quarter of an hour.'
    severity: 2
    query: '''
      AppExceptions
      | summarize Exceptions = sum(ItemCount)
    '''
    column: 'Exceptions'
    above: true
    threshold: 5
    window: 'PT15M'
  }
  {
    key: 'silent'
    title: 'The app is not heard of'
    means: 'No sweep has run for an hour: the app does not run, or its telemetry does not arrive; no other alert would be raised.'
    severity: 1
    query: '''
      AppRequests
      | where Name == "provisionSweep" or OperationName == "provisionSweep"
      | summarize Sweeps = count()
    '''
    column: 'Sweeps'
    above: false
    threshold: 1
    window: 'PT1H'
  }
]

var backups Alert[] = [
  {
    key: 'backup-overdue'
    title: 'A backup is overdue'
    means: 'The newest good backup of a hub is older than ${backupHours} hours.'
    severity: 1
    query: '''
      AppMetrics
      | where Name == "hubkeeper.backup.age"
      | summarize Hours = max(Max) / 3600 by Hub = tostring(Properties.hub)
    '''
    column: 'Hours'
    dimension: 'Hub'
    above: true
    threshold: backupHours
    window: 'PT1H'
  }
]

var mirrored Alert[] = [
  {
    key: 'mirror-lag'
    title: 'The mirror lags behind'
    means: 'Events of a partition have waited for more than a quarter of an hour, for as long.'
    severity: 2
    query: '''
      AppMetrics
      | where Name == "hubkeeper.mirror.lag"
      | summarize Seconds = min(Min) by Partition = tostring(Properties.partition)
    '''
    column: 'Seconds'
    dimension: 'Partition'
    above: true
    threshold: 900
    window: 'PT15M'
  }
  {
    key: 'mirror-dead-letters'
    title: 'Events could not be read'
    means: 'Events were put to the dead letters of the mirror.'
    severity: 2
    query: '''
      AppMetrics
      | where Name == "hubkeeper.mirror.dead_letters"
      | summarize Events = sum(Sum) by Reason = tostring(Properties.reason)
    '''
    column: 'Events'
    dimension: 'Reason'
    above: true
    threshold: 0
    window: 'PT15M'
  }
  {
    key: 'mirror-drift'
    title: 'The mirror differed from a hub'
    means: 'A reconcile found identities that are missing, extra or different in the mirror.'
    severity: 3
    query: '''
      AppMetrics
      | where Name == "hubkeeper.mirror.drift"
      | summarize Identities = sum(Sum) by Hub = tostring(Properties.hub)
    '''
    column: 'Identities'
    dimension: 'Hub'
    above: true
    threshold: 0
    window: 'PT1H'
  }
]

var alerts Alert[] = [...common, ...(backupHours > 0 ? backups : []), ...(mirror ? mirrored : [])]

resource receivers 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-hubkeeper'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'hubkeeper'
    enabled: true
    emailReceivers: [{ name: 'mail', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource rule 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alert in alerts: {
    name: 'hubkeeper-${alert.key}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'HubKeeper: ${alert.title}'
      description: '${alert.means} What to do: docs/operations.md#alert-${alert.key}'
      severity: alert.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT15M'
      windowSize: alert.window
      autoMitigate: true
      // In a new workspace a table has no columns until something is in it.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: alert.query
            metricMeasureColumn: alert.column
            timeAggregation: 'Total'
            dimensions: alert.?dimension == null ? [] : [{ name: alert.dimension!, operator: 'Include', values: ['*'] }]
            operator: alert.above ? 'GreaterThan' : 'LessThan'
            threshold: alert.threshold
          }
        ]
      }
      actions: { actionGroups: empty(email) ? [] : [receivers.id] }
    }
  }
]
