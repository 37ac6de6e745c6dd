/**
 * `node --import shifted-clock.ts PROGRAM`: a process whose clock somebody sets. It is ahead of the host's by as many
 * milliseconds as stand in the file that BOOTSWARM_TEST_CLOCK names, whenever that changes. Timers go on as they do.
 */
import { readFileSync } from 'node:fs';

/** So rarely is the file looked at. */
const LOOK_MS = 50;

const file = process.env['BOOTSWARM_TEST_CLOCK'] ?? '';
const HostDate = globalThis.Date;
let [aheadMs, lookedAtMs] = [0, Number.NEGATIVE_INFINITY];

function nowMs(): number {
  const steadyMs = performance.now();
  if (steadyMs - lookedAtMs > LOOK_MS) {
    lookedAtMs = steadyMs;
    aheadMs = Number(readFileSync(file, 'utf8'));
  }
  return HostDate.now() + aheadMs;
}

globalThis.Date = new Proxy(HostDate, {
  construct: (target, args, own) => Reflect.construct(target, args.length === 0 ? [nowMs()] : args, own),
  apply: () => new HostDate(nowMs()).toString(),
  get: (target, key, own) => (key === 'now' ? nowMs : Reflect.get(target, key, own)),
});
