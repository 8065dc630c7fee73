import { describe, expect, it } from 'vitest';

import type { Configuration, ConfigurationInput } from '../../../src/lib/registry/index.ts';
import type { Applied } from '../../../src/lib/runs/runEffects.ts';
import { undoConfigurations } from '../../../src/lib/undo/undoConfigurations.ts';

const content = { deviceContent: { 'properties.desired.a': 1 } };
const input = (priority: number, more: Partial<ConfigurationInput> = {}): ConfigurationInput => ({
  id: 'c',
  content,
  priority,
  targetCondition: 'tags.v=1',
  ...more,
});
const live = (priority: number, more: Partial<ConfigurationInput> = {}): Configuration => ({
  ...input(priority, more),
  etag: 'MQ==',
  metricResults: {},
  systemMetricResults: {},
});

interface Row {
  readonly before?: ConfigurationInput;
  readonly sent?: ConfigurationInput;
  readonly applied?: Applied;
  readonly live?: Configuration;
  readonly is: string;
  readonly forced?: string;
}

const ROWS: Readonly<Record<string, Row>> = {
  'was made by the run': { live: live(5), is: 'delete' },
  'was made by the run, and changed by somebody else': { live: live(7), is: 'foreign priority', forced: 'delete' },
  'was made by the run, and deleted by somebody else': { is: '' },
  'was changed by the run': { before: input(1), live: live(5), is: 'update' },
  'was changed by the run, and put back': { before: input(1), live: live(1), is: '' },
  'was changed by the run, and by somebody else': {
    before: input(1),
    live: live(7),
    is: 'foreign priority',
    forced: 'update',
  },
  'was changed by the run, and by somebody else in another field': {
    before: input(1),
    live: live(5, { labels: { by: 'them' } }),
    is: 'foreign labels',
    forced: 'update',
  },
  'was changed by the run, and deleted by somebody else': { before: input(1), is: 'foreign deleted', forced: 'create' },
  'was deleted and made again with other content by somebody else': {
    before: input(1),
    live: live(5, { content: { deviceContent: { 'properties.desired.a': 2 } } }),
    is: 'foreign content',
    forced: 'replace',
  },
  'was perhaps changed, and was not': { before: input(1), applied: 'maybe', live: live(1), is: '' },
  'was perhaps changed, and was': { before: input(1), applied: 'maybe', live: live(5), is: 'update' },
  'was not changed by the run': { before: input(1), applied: 'no', live: live(7), is: '' },
};

describe('a configuration that', () => {
  it.each(Object.entries(ROWS))(
    '%s',
    (_name, { before, sent = input(5), applied = 'yes', live: now, is, forced = is }) => {
      const effect = { id: 'c', sent, applied, ...(before === undefined ? {} : { before }) };
      const said = (force: boolean) => {
        const other = live(3, { id: 'other' });
        const { changes, foreign } = undoConfigurations([effect], now === undefined ? [other] : [other, now], force);
        return [
          ...changes.map(({ change }) => change),
          ...foreign.map(({ fields }) => `foreign ${fields.join(' ')}`),
        ].join(' ');
      };
      expect(said(false)).toBe(is);
      expect(said(true)).toBe(forced);
    },
  );
});
