import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Site } from './testing/site.ts';

let site: Site;
let receiver: Server;
let url = '';
/** HTTP status with which the receiver answers. */
let answers = 200;
const received: string[] = [];

before(async () => {
  receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push(body);
    response.writeHead(answers).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  site = await Site.start({ trust: false, controllerOptions: ['--webhook-network', '127.0.0.0/8'] });
});

after(async () => {
  receiver.closeAllConnections();
  receiver.close();
  await site[Symbol.asyncDispose]();
});

test('a webhook is added, shown, tested and removed', async () => {
  const added = await site.run('webhook', 'add', 'pager', url, '--kind', 'edge');
  assert.match(added.stdout, /^Added webhook pager\. Its secret is shown only now:\n {2}whsec_\S{44}\n$/);
  const again = await site.run('webhook', 'add', 'pager', url);
  assert.match(again.stderr, /^error: name: there is a webhook pager already/);

  const { stdout: list } = await site.run('webhook', 'list');
  assert.match(list, /^WEBHOOK .*\npager +http:\S+ +edge +\d+ +0 +delivers\n$/);
  const { stdout: shown } = await site.run('webhook', 'show', 'pager');
  assert.match(shown, /^webhook: +pager\n/);
  assert.doesNotMatch(list + shown, /whsec_/);

  const tested = await site.run('webhook', 'test', 'pager');
  assert.deepEqual([tested.code, tested.stderr], [0, '']);
  assert.match(tested.stdout, /^Webhook pager took it: /);
  assert.match(received.at(-1) ?? '', /webhook\.test/);

  answers = 500;
  const refused = await site.run('webhook', 'test', 'pager');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^error: webhook pager did not take it: .*500/);
  answers = 200;

  assert.equal((await site.run('webhook', 'remove', 'pager')).stdout, 'Removed webhook pager\n');
  const gone = await site.run('webhook', 'show', 'pager');
  assert.deepEqual([gone.code, gone.stderr.split('\n')[0]], [1, 'error: there is no webhook pager']);
});

test('where nothing is dead, that is said, and a webhook that there is none of is an error', async () => {
  await site.run('webhook', 'add', 'log', url);
  const { stdout } = await site.run('webhook', 'dead', 'log');
  assert.match(stdout, /^NUMBER +TIME +KIND +OF +GIVEN UP +BECAUSE OF\n$/);
  assert.deepEqual(JSON.parse((await site.run('--json', 'webhook', 'dead', 'log')).stdout), []);
  const { stdout: retried } = await site.run('webhook', 'retry', 'log');
  assert.equal(retried, 'Webhook log has no dead events\n');
  for (const verb of ['dead', 'retry', 'test', 'remove'])
    assert.match(
      (await site.run('webhook', verb, 'nobody')).stderr,
      /^error: there is no webhook nobody/,
      verb,
    );
});

test('a URL in a network that webhooks may not be in is refused', async () => {
  const { code, stderr } = await site.run('webhook', 'add', 'far', 'http://169.254.169.254/x');
  assert.equal(code, 1);
  assert.match(stderr, /^error: url: nothing is sent to http:\/\/169\.254\.169\.254\/x/);
});
