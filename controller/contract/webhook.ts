import { z } from 'zod';
import { Event } from './event.ts';
import { Instant, Name } from './names.ts';

/** Where events are sent, signed as Standard Webhooks say (standardwebhooks.com, 1.0). */
export const Webhook = z.strictObject({
  name: Name,
  url: z
    .url({ protocol: /^https?$/, error: 'must be a URL of http or https' })
    .max(1000)
    .refine((url) => {
      if (!URL.canParse(url)) return true;
      const { username, password, hash } = new URL(url);
      return username === '' && password === '' && hash === '';
    }, 'must be without user, password and fragment: the signature tells who sends'),
  /** Kinds or families of events, joined by commas; all where it is left out. */
  kind: z.string().max(500).optional(),
});
export type Webhook = z.infer<typeof Webhook>;

/** `whsec_` and 24 to 64 random bytes in base64. */
export const WebhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, "must be 'whsec_' and 24 to 64 bytes in base64");

/** Shown once. */
export const WebhookWithSecret = Webhook.extend({ secret: WebhookSecret });
export type WebhookWithSecret = z.infer<typeof WebhookWithSecret>;

export const WebhookState = Webhook.extend({
  /** Number of the last event that was delivered, given up or passed over. */
  cursor: z.int().min(0),
  /** Events behind the cursor, wanted or not. */
  behind: z.int().min(0),
  /** Left out while it takes what is sent. */
  failing: z
    .strictObject({
      since: Instant,
      attempts: z.int().positive(),
      reason: z.string().max(300),
      nextAt: Instant,
    })
    .optional(),
  dead: z.int().min(0),
});
export type WebhookState = z.infer<typeof WebhookState>;

/** An event that was given up. */
export const DeadLetter = z.strictObject({
  event: Event,
  at: Instant,
  reason: z.string().max(300),
});
export type DeadLetter = z.infer<typeof DeadLetter>;

export const WebhookOutcome = z.strictObject({
  delivered: z.boolean(),
  /** HTTP status, or why there is none. */
  answer: z.string().max(300),
});
export type WebhookOutcome = z.infer<typeof WebhookOutcome>;
