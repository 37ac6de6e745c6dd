import {
  type DeadLetter,
  type Event,
  EventFilter,
  type WebhookWithSecret,
} from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import type { Logger } from 'pino';
import type { NetworkRule } from '../outgoing/network-rule.ts';
import type { StateStore } from '../store/state-store.ts';
import type { EventLog } from './event-log.ts';
import { afterFailure, isGivenUp } from './webhook-plan.ts';
import { sendOnce } from './webhook-send.ts';
import type { Standing, Webhooks } from './webhooks.ts';

/** The time as the courier sees it. */
export interface Clock {
  now(): Date;
  /** Ends early where `signal` does. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

export interface CourierParts {
  readonly store: StateStore;
  readonly webhooks: Webhooks;
  readonly events: EventLog;
  readonly isAllowed: NetworkRule;
  readonly log: Logger;
  readonly clock?: Clock;
}

const SYSTEM_CLOCK: Clock = {
  now: () => new Date(),
  pause: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    }),
};

/** How long a webhook waits for events before it looks whether it is still there. */
const WAIT_MS = 30_000;
const IDLE_MS = 200;
/** Between two notes of how far a webhook is: what is in between is sent again where the controller dies there. */
const NOTE_MS = 1000;
/** After a fault of our own, such as a full disk. */
const FAULT_MS = 5000;

interface Round {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  /** Ends the wait for the next attempt. */
  wake(): void;
}

/**
 * Takes events to webhooks: to each in order, by a round of its own, so that one that never answers keeps nobody
 * waiting. An event may come twice, never not at all within a day: `webhook-id` is its number, by which to tell.
 */
export class WebhookCourier {
  readonly #parts: CourierParts;
  readonly #clock: Clock;
  readonly #rounds = new Map<string, Round>();
  readonly #unwatch: () => void;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: CourierParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? SYSTEM_CLOCK;
    this.#unwatch = parts.store.watch(() => this.#look());
    this.#look();
  }

  /** What a webhook waits to be sent is tried now. */
  wake(name: string): void {
    this.#rounds.get(name)?.wake();
  }

  /** Ends what is being sent, and waits for it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch();
    await this.#looking;
    const rounds = [...this.#rounds.values()];
    for (const { stop } of rounds) stop.abort();
    await Promise.all(rounds.map(({ ended }) => ended));
  }

  /** Begins a round for each webhook that has none, and ends those of webhooks that went. */
  #look(): void {
    this.#looking = this.#looking
      .then(async () => {
        const there = new Set((await this.#parts.webhooks.all()).map(({ name }) => name));
        for (const [name, { stop }] of this.#rounds) if (!there.has(name)) stop.abort();
        for (const name of there) if (!this.#rounds.has(name) && !this.#stopped) this.#begin(name);
      })
      .catch((error: unknown) => this.#parts.log.error({ err: error }, 'looking for webhooks failed'));
  }

  #begin(name: string): void {
    const stop = new AbortController();
    let waking = new AbortController();
    const pause = async (ms: number): Promise<void> => {
      waking = new AbortController();
      await this.#clock.pause(ms, AbortSignal.any([stop.signal, waking.signal]));
    };
    const ended = this.#go(name, stop.signal, pause).finally(() => {
      this.#rounds.delete(name);
      // One of the same name may have come meanwhile.
      if (!this.#stopped) this.#look();
    });
    this.#rounds.set(name, { stop, ended, wake: () => waking.abort() });
  }

  async #go(name: string, signal: AbortSignal, pause: (ms: number) => Promise<void>): Promise<void> {
    const { webhooks, log } = this.#parts;
    while (!signal.aborted) {
      try {
        const webhook = (await webhooks.all()).find((each) => each.name === name);
        if (!webhook) return;
        await this.#turn(webhook, signal, pause);
      } catch (error) {
        log.error({ err: error, webhook: name }, 'a webhook failed here');
        await pause(FAULT_MS);
      }
    }
  }

  /** One page of events, to its end. */
  async #turn(
    webhook: WebhookWithSecret,
    signal: AbortSignal,
    pause: (ms: number) => Promise<void>,
  ): Promise<void> {
    const { webhooks, events } = this.#parts;
    const { name } = webhook;
    // That it was asked for is an event, so nobody waits for others then.
    await webhooks.retry(webhook, signal);
    const kind = EventFilter.optional().parse(webhook.kind);
    let { cursor, failing } = await webhooks.standing(name);
    const page = await events.next(cursor, { kind }, WAIT_MS, signal).catch(async (error: unknown) => {
      if (!(error instanceof Problem) || error.code !== 'events_gone') throw error;
      // It was behind for longer than events are kept.
      await webhooks.settle(name, { cursor: (await events.oldest()) - 1, ...(failing ? { failing } : {}) });
      return undefined;
    });
    // After a long wait, and where the log lets nobody wait any more: never round and round.
    if (!page) return pause(IDLE_MS);
    let notedAt = performance.now();
    for (const event of page.events) {
      for (;;) {
        if (failing) await pause(Math.max(0, Date.parse(failing.nextAt) - this.#clock.now().getTime()));
        if (signal.aborted) return webhooks.settle(name, standingOf(cursor, failing));
        const { delivered, answer } = await sendOnce(webhook, event, this.#parts.isAllowed, signal);
        if (signal.aborted && !delivered) return webhooks.settle(name, standingOf(cursor, failing));
        const now = this.#clock.now();
        failing = delivered ? undefined : afterFailure(failing, answer, now, Math.random());
        const isOver = failing === undefined || isGivenUp(event.at, failing, now);
        if (isOver) cursor = event.number;
        const given = failing && isOver ? [deadLetter(event, answer, now)] : [];
        if (failing || performance.now() - notedAt > NOTE_MS) {
          await webhooks.settle(name, standingOf(cursor, failing), given);
          notedAt = performance.now();
        }
        if (isOver) break;
      }
    }
    await webhooks.settle(name, standingOf(page.cursor, failing));
  }
}

function standingOf(cursor: number, failing: Standing['failing']): Standing {
  return { cursor, ...(failing ? { failing } : {}) };
}

function deadLetter(event: Event, reason: string, now: Date): DeadLetter {
  return { event, at: now.toISOString(), reason };
}
