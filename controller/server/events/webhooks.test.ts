import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endpoints } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { pino } from 'pino';
import { networkRule } from '../outgoing/network-rule.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { StateStore } from '../store/state-store.ts';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { FakeReceiver } from '../testing/fake-receiver.ts';
import { type Clock, WebhookCourier } from './webhook-courier.ts';
import { afterFailure, GIVE_UP_MS } from './webhook-plan.ts';

const here = networkRule(['127.0.0.0/8']);
const log = pino({ level: 'silent' });

function courierOf({ services }: ControllerUnderTest, clock?: Clock): WebhookCourier {
  return new WebhookCourier({ ...services, isAllowed: here, log, ...(clock ? { clock } : {}) });
}

async function withWebhook(
  run: (site: { controller: ControllerUnderTest; receiver: FakeReceiver; secret: string }) => Promise<void>,
  store: StateStore = new MemoryStore(),
): Promise<void> {
  await using controller = await ControllerUnderTest.start(store);
  await using receiver = await FakeReceiver.start();
  const body = { name: 'hook', url: receiver.url, kind: 'edge.added' };
  const { secret } = await controller.operator.call(endpoints.addWebhook, { body });
  await run({ controller, receiver, secret });
}

function addEdge({ operator }: ControllerUnderTest, name: string): Promise<unknown> {
  return operator.call(endpoints.addEdge, { body: { name } });
}

const subjectsOf = (receiver: FakeReceiver): string[] =>
  receiver.received.map(({ body }) => JSON.parse(body).subject);

/** A clock whose pauses take no time of ours. */
class LeapingClock implements Clock {
  #now = Date.now();
  now(): Date {
    return new Date(this.#now);
  }
  async pause(ms: number): Promise<void> {
    this.#now += ms;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('events come in order, signed so that the receiver can tell who sent them', () =>
  withWebhook(async ({ controller, receiver, secret }) => {
    const courier = courierOf(controller);
    for (const name of ['e1', 'e2', 'e3']) await addEdge(controller, name);
    const [first] = await receiver.count(3);
    assert.deepEqual(subjectsOf(receiver), ['e1', 'e2', 'e3']);
    const { headers, body } = first ?? { headers: {}, body: '' };
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    const wanted = createHmac('sha256', key).update(signed).digest('base64');
    assert.equal(headers['webhook-signature'], `v1,${wanted}`);
    assert.equal(headers['webhook-id'], `evt_${JSON.parse(body).number}`);
    await courier.stop();
  }));

test('after a restart it goes on where it was', () =>
  withWebhook(async ({ controller, receiver }) => {
    const before = courierOf(controller);
    await addEdge(controller, 'e1');
    await receiver.count(1);
    await before.stop();
    await addEdge(controller, 'e2');
    const after = courierOf(controller);
    while (!subjectsOf(receiver).includes('e2')) await receiver.count(receiver.received.length + 1);
    await after.stop();
    // What was on its way when it stopped may come again.
    assert.deepEqual([...new Set(subjectsOf(receiver))], ['e1', 'e2']);
  }));

test('what is refused is sent again, for a day; then it is dead, until an operator has it sent', () =>
  withWebhook(async ({ controller, receiver }) => {
    receiver.answers = 503;
    await addEdge(controller, 'e1');
    const courier = courierOf(controller, new LeapingClock());
    const params = { name: 'hook' };
    while ((await controller.services.webhooks.show('hook')).dead === 0) await sleep(5);
    const { failing } = await controller.operator.call(endpoints.showWebhook, { params });
    assert.equal(failing?.reason, 'HTTP 503');
    const attempts = receiver.received.length;
    // The waits add up to a day: neither a storm nor a single try.
    assert.ok(attempts > 20 && attempts < 60, String(attempts));
    assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1);
    const { events } = controller.services;
    const newest = await events.newest();
    const retry = () => controller.operator.call(endpoints.retryDeadLetters, { params });
    const dead = async () => (await controller.operator.call(endpoints.listDeadLetters, { params })).length;
    assert.deepEqual(await retry(), { waiting: 1 });
    await receiver.count(attempts + 1);
    assert.equal(await dead(), 1);
    receiver.answers = 200;
    while ((await dead()) > 0) {
      await retry();
      await sleep(5);
    }
    assert.deepEqual(await retry(), { waiting: 0 });
    const told = (await events.page(newest, {})).events.map(({ kind }) => kind);
    // What the courier does of itself is no event: it would have to deliver it.
    assert.deepEqual([...new Set(told)], ['webhook.retried']);
    await courier.stop();
  }));

test('one that never answers keeps nobody else waiting', () =>
  withWebhook(async ({ controller, receiver }) => {
    receiver.answers = 'silent';
    await using other = await FakeReceiver.start();
    const body = { name: 'other', url: other.url, kind: 'edge.added' };
    await controller.operator.call(endpoints.addWebhook, { body });
    const courier = courierOf(controller);
    await addEdge(controller, 'e1');
    await receiver.count(1);
    await addEdge(controller, 'e2');
    await other.count(2);
    const began = performance.now();
    await courier.stop();
    assert.ok(performance.now() - began < 5000);
  }));

test('dead events are sent again after a restart, where that was asked for before it', () =>
  withWebhook(async ({ controller, receiver }) => {
    const { webhooks, events } = controller.services;
    await addEdge(controller, 'e1');
    const event = (await events.page(0, { kind: ['edge.added'] })).events[0];
    assert.ok(event);
    const letter = { event, at: event.at, reason: 'HTTP 503' };
    await webhooks.settle('hook', { cursor: await events.newest() }, [letter]);
    assert.equal(await webhooks.askRetry('hook'), 1);
    const courier = courierOf(controller);
    await receiver.count(1);
    assert.deepEqual(subjectsOf(receiver), ['e1']);
    await courier.stop();
  }));

test('a test uses up the id of no event', () =>
  withWebhook(async ({ controller, receiver }) => {
    const params = { name: 'hook' };
    for (let n = 0; n < 2; n++)
      assert.equal((await controller.operator.call(endpoints.testWebhook, { params })).delivered, true);
    await addEdge(controller, 'e1');
    const courier = courierOf(controller);
    const ids = (await receiver.count(3)).map(({ headers }) => String(headers['webhook-id']));
    assert.equal(new Set(ids).size, 3);
    assert.deepEqual(
      ids.map((id) => id.startsWith('evt_test_')),
      [true, true, false],
    );
    await courier.stop();
  }));

test('a redirect is no delivery, and is not followed', () =>
  withWebhook(async ({ controller, receiver }) => {
    await using elsewhere = await FakeReceiver.start();
    receiver.answers = 302;
    receiver.location = elsewhere.url;
    const outcome = await controller.operator.call(endpoints.testWebhook, { params: { name: 'hook' } });
    assert.deepEqual([outcome, elsewhere.received.length], [{ delivered: false, answer: 'HTTP 302' }, 0]);
  }));

test('without an option nothing is sent to the host itself, its link or metadata, however that is written', () => {
  const rule = networkRule([]);
  const refused = [
    '127.0.0.1',
    '0.0.0.0',
    '169.254.169.254',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
  ];
  const more = [
    'fe80::1',
    'fd00:ec2::254',
    '64:ff9b::7f00:1',
    '224.0.0.1',
    '255.255.255.255',
    'localhost',
    '',
  ];
  for (const address of [...refused, ...more]) assert.equal(rule(address), false, address);
  for (const address of ['10.1.2.3', '192.0.2.1', '2001:db8::1']) assert.equal(rule(address), true, address);
  const named = networkRule(['10.0.0.0/8', 'fd00::/8']);
  for (const address of ['10.1.2.3', 'fd00::1', '::ffff:10.1.2.3'])
    assert.equal(named(address), true, address);
  for (const address of ['192.0.2.1', '127.0.0.1', '2001:db8::1'])
    assert.equal(named(address), false, address);
  for (const cidr of ['10.0.0.0', '10.0.0.0/33', 'x/8', '::/129', '10.0.0.0/'])
    assert.throws(() => networkRule([cidr]), RangeError, cidr);
  const wide = networkRule(['0.0.0.0/0', '::/0']);
  for (const address of ['127.0.0.1', '169.254.169.254', '::1'])
    assert.equal(wide(address), false, `${address} takes a network of its own`);
});

test('a URL that may not be reached is refused when it is added', async () => {
  await using controller = await ControllerUnderTest.start();
  const add = (url: string) => controller.operator.call(endpoints.addWebhook, { body: { name: 'h', url } });
  for (const url of ['http://169.254.169.254/latest', 'http://[::1]:9/', 'http://0x0a000001/'])
    await assert.rejects(add(url), { code: 'webhook_refused', field: 'url' }, url);
  for (const url of ['file:///etc/passwd', 'http://me:word@127.0.0.1/', 'nowhere'])
    await assert.rejects(add(url), { code: 'input_invalid', field: 'url' }, url);
});

test('waits grow to an hour, and are spread', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }),
      (chances) => {
        let [failing, now] = [afterFailure(undefined, 'x', new Date(0), chances[0] ?? 0), new Date(0)];
        for (const chance of chances.slice(1)) {
          const wait = Date.parse(failing.nextAt) - now.getTime();
          assert.ok(wait >= 2500 && wait <= 3_600_000);
          now = new Date(failing.nextAt);
          failing = afterFailure(failing, 'x', now, chance);
        }
        assert.equal(failing.attempts, chances.length);
        assert.equal(failing.since, new Date(0).toISOString());
        assert.ok(now.getTime() < 2 * GIVE_UP_MS);
      },
    ),
  );
});
