import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { createStatusDisplay } from '../../../cli/render/statusDisplay.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function stream(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 60, written, write: (text: string) => written.push(text) };
}

test('without a terminal there is a line when something changed, at most one in five seconds', () => {
  const target = stream(false);
  const display = createStatusDisplay(target, {});
  display.show({ text: 'one' });
  display.show({ text: 'one' });
  display.show({ text: 'two' });
  display.show({ text: 'three' });
  expect(target.written).toEqual(['one\n']);
  vi.advanceTimersByTime(5000);
  expect(target.written).toEqual(['one\n', 'three\n']);
  vi.advanceTimersByTime(60_000);
  display.show({ text: 'three', pace: ['5/s'] });
  expect(target.written).toEqual(['one\n', 'three\n']);
  display.show({ text: 'four' });
  display.show({ text: 'five' });
  display.end();
  vi.advanceTimersByTime(60_000);
  expect(target.written).toEqual(['one\n', 'three\n', 'four\n']);
});

test('on a terminal one line is drawn over and over, and taken away at the end', () => {
  const target = stream(true);
  const display = createStatusDisplay(target, { LANG: 'C.UTF-8' });
  display.show({ text: 'one' });
  display.show({ text: 'two' });
  vi.advanceTimersByTime(240);
  display.end();
  expect(target.written).toEqual(['\r⠋ one\u001b[K', '\r⠙ two\u001b[K', '\r⠹ two\u001b[K', '\r\u001b[K']);
});

test('what is shown has passed the redaction', () => {
  const target = stream(false);
  const display = createStatusDisplay(target, {});
  display.show({ text: 'waiting: SharedAccessKey=qv3rT5bX8kL2mN9pQ4sV7wY1zA6cE0fH3jK5lM8nP2r=' });
  display.end();
  expect(target.written).toEqual(['waiting: SharedAccessKey=[redacted]\n']);
});

test('what is said stays above the line that is drawn, and stands in between without a terminal', () => {
  const terminal = stream(true);
  const display = createStatusDisplay(terminal, { LANG: 'C.UTF-8' });
  display.show({ text: 'one' });
  display.say('SharedAccessKey=c2VjcmV0 was said');
  display.end();
  expect(terminal.written).toEqual([
    '\r⠋ one\u001b[K',
    '\r\u001b[KSharedAccessKey=[redacted] was said\n',
    '\r⠙ one\u001b[K',
    '\r\u001b[K',
  ]);

  const log = stream(false);
  const plain = createStatusDisplay(log, {});
  plain.show({ text: 'one' });
  plain.say('said');
  plain.show({ text: 'one' });
  plain.end();
  expect(log.written).toEqual(['one\n', 'said\n']);
});
