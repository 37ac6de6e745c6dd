import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { Status } from './status.ts';
import { renderStatusPage } from './status-page.ts';
import { startStatusServer } from './status-server.ts';

const make = (written: string[] = []): Status =>
  new Status(
    { uuid: undefined, version: '1.2', kernel: '6.1' },
    (line) => written.push(line),
    () => 12.34,
  );

describe('a status', () => {
  test('says a line with the time since the kernel started, without what moves a cursor', () => {
    const written: string[] = [];
    make(written).say('eth0\u001b[2J has\n10.1.2.3');
    assert.deepEqual(written, ['   12.3 s  eth0 [2J has 10.1.2.3']);
  });

  test('says what it does once, however often it does it', () => {
    const written: string[] = [];
    const status = make(written);
    for (const doing of ['waiting', 'waiting', 'inspecting']) status.doing(doing);
    assert.equal(written.length, 2);
    assert.equal(status.view.doing, 'inspecting');
  });

  test('keeps the last 200 lines, and what the edge was not told', () => {
    const status = make();
    for (let line = 0; line < 300; line++) status.say(`line ${line}`);
    assert.equal(status.view.lines.length, 200);
    const first = status.unsent(10);
    assert.match(first[0] ?? '', /line 100$/);
    status.sent(first);
    assert.match(status.unsent(1)[0] ?? '', /line 110$/);
  });
});

test('a page escapes what others wrote', () => {
  const status = make();
  status.say('<script>alert("1")</script>');
  const page = renderStatusPage(status.view);
  assert.ok(!page.includes('<script>'));
  assert.ok(page.includes('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;'));
});

test('the status server tells, and takes nothing', async () => {
  const status = make();
  status.note({ mac: '52:54:00:00:00:01' });
  const server = await startStatusServer(() => status.view, 0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const json = (await (await fetch(`${url}/status.json`)).json()) as { mac: string };
    assert.equal(json.mac, '52:54:00:00:00:01');
    assert.match(await (await fetch(url)).text(), /52:54:00:00:00:01/);
    assert.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 405);
    assert.equal((await fetch(`${url}/etc/passwd`)).status, 404);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
