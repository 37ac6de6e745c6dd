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
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import type { EventLog } from './event-log.ts';
import type { NetworkRule } from './network-rule.ts';
import type { Failing } from './webhook-plan.ts';
import { addressOf, sendOnce } from './webhook-send.ts';

export const WEBHOOKS_PREFIX = 'webhooks/';
const WEBHOOKS_MOST = 100;
/** Of each webhook; the oldest go first. */
const DEAD_MOST = 1000;

/** How far a webhook is. */
export interface Standing {
  readonly cursor: number;
  readonly failing?: Failing;
}

export function standingKey(name: string): string {
  return `webhook-states/${name}`;
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
    await addressOf(new URL(url), this.#isAllowed).catch((error: Error) => {
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
      return { remove: [WEBHOOKS_PREFIX + name, standingKey(name), ...dead], result: undefined };
    });
  }

  /** @throws Problem not_found */
  async test(name: string, now: Date, signal: AbortSignal): Promise<WebhookOutcome> {
    const webhook = await this.#find(name);
    const event: Event = {
      number: (await this.#events.newest()) + 1,
      ...{ at: now.toISOString(), kind: 'webhook.test', subject: name, by: { kind: 'operator' } },
    };
    return sendOnce(webhook, event, this.#isAllowed, signal);
  }

  /** Oldest first. @throws Problem not_found */
  async dead(name: string): Promise<DeadLetter[]> {
    await this.#find(name);
    return (await this.#store.list(deadKey(name))).map(({ value }) => value as DeadLetter);
  }

  /** Until one is not taken, or the caller goes away. @throws Problem not_found */
  async retry(name: string, signal: AbortSignal): Promise<{ delivered: number; left: number }> {
    const webhook = await this.#find(name);
    const letters = await this.dead(name);
    let delivered = 0;
    for (const { event } of letters) {
      if (signal.aborted || !(await sendOnce(webhook, event, this.#isAllowed, signal)).delivered) break;
      await this.#store.commit({ remove: [deadKey(name, event)] });
      delivered += 1;
    }
    return { delivered, left: letters.length - delivered };
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
