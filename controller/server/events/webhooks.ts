import { randomBytes } from 'node:crypto';
import {
  type DeadLetter,
  type Event,
  EventFilter,
  problem,
  Webhook,
  type WebhookOutcome,
  type WebhookState,
  type WebhookWithSecret,
} from '@bootswarm/controller/contract';
import type { NetworkRule } from '../outgoing/network-rule.ts';
import { addressesOf } from '../outgoing/send.ts';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import type { EventLog } from './event-log.ts';
import type { Failing } from './webhook-plan.ts';
import { sendOnce } from './webhook-send.ts';

const WEBHOOKS_PREFIX = 'webhooks/';
const WEBHOOKS_MOST = 100;
/** Of each webhook; the oldest go first. */
const DEAD_MOST = 1000;

/** How far a webhook is. */
export interface Standing {
  readonly cursor: number;
  readonly failing?: Failing;
}

function standingKey(name: string): string {
  return `webhook-states/${name}`;
}

/** There while its dead letters are to be sent again. */
function retryKey(name: string): string {
  return `webhook-retries/${name}`;
}

function deadKey(name: string, event?: Event): string {
  return `webhook-dead/${name}/${event === undefined ? '' : String(event.number).padStart(12, '0')}`;
}

/** Where events are sent. `WebhookCourier` sends them. */
export class Webhooks {
  readonly #store: StateStore;
  readonly #events: EventLog;
  readonly #isAllowed: NetworkRule;

  constructor(store: StateStore, events: EventLog, isAllowed: NetworkRule) {
    this.#store = store;
    this.#events = events;
    this.#isAllowed = isAllowed;
  }

  async list(): Promise<WebhookState[]> {
    return Promise.all((await this.all()).map((each) => this.#stateOf(each)));
  }

  async all(): Promise<readonly WebhookWithSecret[]> {
    return (await this.#store.list(WEBHOOKS_PREFIX)).map(({ value }) => value as WebhookWithSecret);
  }

  /** @throws Problem not_found */
  async show(name: string): Promise<WebhookState> {
    return this.#stateOf(await this.#find(name));
  }

  /** @throws Problem already_exists, input_invalid, webhook_refused, webhooks_crowded */
  async add({
    secret,
    ...webhook
  }: Webhook & { readonly secret?: string | undefined }): Promise<WebhookWithSecret> {
    const { name, url, kind } = Webhook.parse(webhook);
    const filter = EventFilter.optional().safeParse(kind);
    if (!filter.success)
      throw problem('input_invalid', {
        field: 'kind',
        facts: { reason: filter.error.issues[0]?.message ?? '' },
      });
    await addressesOf(new URL(url), this.#isAllowed).catch((error: Error) => {
      throw problem('webhook_refused', { field: 'url', facts: { url, reason: error.message } });
    });
    const made = { ...webhook, secret: secret ?? `whsec_${randomBytes(32).toString('base64')}` };
    const cursor = await this.#events.newest();
    return transact(this.#store, `webhook ${name}`, async (reads) => {
      if (await reads.get(WEBHOOKS_PREFIX + name))
        throw problem('already_exists', { field: 'name', facts: { kind: 'webhook', name } });
      if ((await this.all()).length >= WEBHOOKS_MOST)
        throw problem('webhooks_crowded', { facts: { most: WEBHOOKS_MOST } });
      return {
        put: { [WEBHOOKS_PREFIX + name]: made, [standingKey(name)]: { cursor } satisfies Standing },
        result: made,
      };
    });
  }

  /** @throws Problem not_found */
  remove(name: string): Promise<void> {
    return transact(this.#store, `webhook ${name}`, async (reads) => {
      if (!(await reads.get(WEBHOOKS_PREFIX + name))) throw unknownWebhook(name);
      const dead = (await this.#store.list(deadKey(name))).map(({ key }) => key);
      return {
        remove: [WEBHOOKS_PREFIX + name, standingKey(name), retryKey(name), ...dead],
        result: undefined,
      };
    });
  }

  /** @throws Problem not_found */
  async test(name: string, now: Date, signal: AbortSignal): Promise<WebhookOutcome> {
    const webhook = await this.#find(name);
    const event: Event = {
      // None of the log's: the newest's, for a reader that goes on from it.
      number: await this.#events.newest(),
      ...{ at: now.toISOString(), kind: 'webhook.test', subject: name, by: { kind: 'operator' } },
    };
    // A receiver that knows an id passes over what comes under it: a test must not use up that of an event.
    return sendOnce(webhook, event, this.#isAllowed, signal, `evt_test_${randomBytes(12).toString('hex')}`);
  }

  /** Oldest first. @throws Problem not_found */
  async dead(name: string): Promise<DeadLetter[]> {
    await this.#find(name);
    return (await this.#store.list(deadKey(name))).map(({ value }) => value as DeadLetter);
  }

  /** Asks for the dead letters to be sent again. @returns how many there are. @throws Problem not_found */
  async askRetry(name: string): Promise<number> {
    const waiting = (await this.dead(name)).length;
    if (waiting === 0) return 0;
    return transact(this.#store, `webhook ${name}`, async (reads) => {
      if (!(await reads.get(WEBHOOKS_PREFIX + name))) throw unknownWebhook(name);
      if (await reads.get(retryKey(name))) return { result: waiting };
      return { put: { [retryKey(name)]: waiting }, result: waiting };
    });
  }

  /** Sends them, where that was asked for, until one is not taken. What `signal` ends is gone on with later. */
  async retry(webhook: WebhookWithSecret, signal: AbortSignal): Promise<void> {
    const { name } = webhook;
    if (!(await this.#store.get(retryKey(name)))) return;
    for (const { event } of await this.dead(name)) {
      const { delivered } = await sendOnce(webhook, event, this.#isAllowed, signal);
      if (delivered) await this.#store.commit({ remove: [deadKey(name, event)] });
      else if (signal.aborted) return;
      else break;
    }
    await this.#store.commit({ remove: [retryKey(name)] });
  }

  /** What a webhook's place is from now on, and what it gives up; nothing where it was removed meanwhile. */
  settle(name: string, standing: Standing, given: readonly DeadLetter[] = []): Promise<void> {
    return transact(this.#store, `webhook ${name}`, async (reads) => {
      if (!(await reads.get(WEBHOOKS_PREFIX + name))) return { result: undefined };
      const letters = given.slice(-DEAD_MOST).map((letter) => [deadKey(name, letter.event), letter] as const);
      const held = letters.length === 0 ? [] : await this.#store.list(deadKey(name));
      const tooMany = held.slice(0, Math.max(0, held.length + letters.length - DEAD_MOST));
      return {
        put: { [standingKey(name)]: standing, ...Object.fromEntries(letters) },
        remove: tooMany.map(({ key }) => key),
        result: undefined,
      };
    });
  }

  async standing(name: string): Promise<Standing> {
    return ((await this.#store.get(standingKey(name)))?.value as Standing | undefined) ?? { cursor: 0 };
  }

  async #stateOf({ secret: _, ...webhook }: WebhookWithSecret): Promise<WebhookState> {
    const standing = await this.standing(webhook.name);
    const dead = (await this.#store.list(deadKey(webhook.name))).length;
    return {
      ...webhook,
      ...standing,
      behind: Math.max(0, (await this.#events.newest()) - standing.cursor),
      dead,
    };
  }

  async #find(name: string): Promise<WebhookWithSecret> {
    const entry = await this.#store.get(WEBHOOKS_PREFIX + name);
    if (!entry) throw unknownWebhook(name);
    return entry.value as WebhookWithSecret;
  }
}

function unknownWebhook(name: string): Error {
  return problem('not_found', { facts: { kind: 'webhook', name } });
}
