import { mkdir } from 'node:fs/promises';
import { type Core, layCore } from './core.ts';
import { guard, unguard } from './guard.ts';
import { deadPrefixes, folderOf, nextPrefix, removeRemains } from './remains.ts';
import { type Requirement, requireFor, requirements } from './requirements.ts';
import type { LabScope } from './scope.ts';
import { laySegment, Segment, type SegmentOptions } from './segment.ts';

/**
 * A datacenter's network inside namespaces of this host: a core, and segments behind routers with relays.
 * It goes with the block that holds it (`await using`), with this process, or, if that was killed, with the
 * next lab on this host.
 */
export class Lab implements AsyncDisposable {
  readonly name: string;
  readonly core: Core;
  readonly #scope: LabScope;
  readonly #segments = new Map<number, Segment>();

  private constructor(name: string, scope: LabScope, core: Core) {
    this.name = name;
    this.#scope = scope;
    this.core = core;
  }

  /** Lays a core. `name` shows in the names of the lab's namespaces. Throws when the host lacks something, saying what. */
  static async create(name: string): Promise<Lab> {
    requireFor('network');
    Lab.sweep();
    const prefix = nextPrefix(name);
    const scope: LabScope = { prefix, folder: folderOf(prefix), processes: new Set() };
    guard(prefix);
    try {
      await mkdir(scope.folder, { mode: 0o700 });
      return new Lab(name, scope, await layCore(scope));
    } catch (error) {
      remove(prefix);
      throw error;
    }
  }

  /** Removes the labs of owners that have ended, and returns their ids. */
  static sweep(): string[] {
    const dead = deadPrefixes();
    dead.forEach(removeRemains);
    return dead;
  }

  /** What a lab needs of this host, and whether it is there. */
  static requirements(): readonly Requirement[] {
    return requirements();
  }

  /** Starts the name of everything the lab puts on this host. */
  get id(): string {
    return this.#scope.prefix;
  }

  /** Holds logs, captures and UEFI variables; it goes with the lab. */
  get folder(): string {
    return this.#scope.folder;
  }

  get segments(): readonly Segment[] {
    return [...this.#segments.values()];
  }

  /** Throws a RangeError for a number that is taken or beyond 254. */
  async addSegment(options: SegmentOptions): Promise<Segment> {
    const number = options.number ?? Math.max(0, ...this.#segments.keys()) + 1;
    if (number < 1 || number > 254 || this.#segments.has(number)) {
      throw new RangeError(`there can be no segment ${number}`);
    }
    const segment = new Segment(this.#scope, this.core, number, options);
    this.#segments.set(number, segment);
    return laySegment(segment, this.core, options.relayFlags ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exits = [...this.#scope.processes].map((process) => process.exit);
    remove(this.id);
    await Promise.all(exits);
  }
}

function remove(prefix: string): void {
  removeRemains(prefix);
  unguard(prefix);
}
