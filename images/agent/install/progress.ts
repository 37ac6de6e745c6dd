import type { SwarmProgress, WorkProgress } from '@bootswarm/controller/contract';

/** What takes its time, in the order in which it is done: benchmarks go by these names. */
export type Step =
  | 'verify'
  | 'plan'
  | 'begin'
  | 'hooks-before'
  | 'partition'
  | 'mount'
  | 'fetch'
  | 'unpack'
  | 'configure'
  | 'initramfs'
  | 'hooks-after'
  | 'boot-loader'
  | 'hash'
  | 'unmount'
  | 'read-back'
  | 'boot-entry'
  | 'wipe'
  | 'end';

/** A step that was done, for the log and for benchmarks. */
export interface StepTime {
  readonly step: Step;
  readonly seconds: number;
}

/** How far an installation is. One writer; whoever reports reads it when it wants to. */
export class Progress {
  readonly #now: () => number;
  readonly #say: (line: string) => void;
  readonly #times: StepTime[] = [];
  #swarm: () => SwarmProgress | undefined = () => undefined;
  #at: { step: Step; since: number; doneBytes?: number; totalBytes?: number } | undefined;

  /** @param now milliseconds, of any beginning. */
  constructor(say: (line: string) => void, now: () => number) {
    this.#say = say;
    this.#now = now;
  }

  begin(step: Step, what: string): void {
    this.#finish();
    this.#at = { step, since: this.#now() };
    this.#say(`${step}: ${what}`);
  }

  /** Tells of a swarm as well, while there is one. */
  follow(swarm: () => SwarmProgress | undefined): void {
    this.#swarm = swarm;
  }

  bytes(doneBytes: number, totalBytes?: number): void {
    if (this.#at) this.#at = { ...this.#at, doneBytes, ...(totalBytes === undefined ? {} : { totalBytes }) };
  }

  /** Of the step that runs now. */
  get now(): WorkProgress | undefined {
    if (!this.#at) return undefined;
    const { since: _, ...progress } = this.#at;
    const swarm = this.#swarm();
    return swarm === undefined ? progress : { ...progress, swarm };
  }

  /** Of all steps that were begun, with the one that runs up to now. */
  get times(): readonly StepTime[] {
    return this.#at ? [...this.#times, this.#timeOf(this.#at)] : this.#times;
  }

  /** `partition 1.2 s, fetch 10.4 s`: for the log. */
  get text(): string {
    return this.times.map(({ step, seconds }) => `${step} ${seconds.toFixed(1)} s`).join(', ');
  }

  #finish(): void {
    if (this.#at) this.#times.push(this.#timeOf(this.#at));
  }

  #timeOf({ step, since }: { readonly step: Step; readonly since: number }): StepTime {
    return { step, seconds: (this.#now() - since) / 1000 };
  }
}
