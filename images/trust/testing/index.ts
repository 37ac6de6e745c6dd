import { makeSigningKey, type SigningKey } from '@bootswarm/images/format';
import {
  makeRoot,
  makeSnapshot,
  makeTimestamp,
  outlineOf,
  type RoleKeys,
  type Target,
  withTargets,
} from '../index.ts';

type Keys = Readonly<Record<'root' | 'targets' | 'snapshot' | 'timestamp', SigningKey>>;

export function makeKeys(): Keys {
  return {
    root: makeSigningKey(),
    targets: makeSigningKey(),
    snapshot: makeSigningKey(),
    timestamp: makeSigningKey(),
  };
}

export function publicKeys({ root, targets, snapshot, timestamp }: Keys): RoleKeys {
  return {
    root: [root.publicKey],
    targets: [targets.publicKey],
    snapshot: [snapshot.publicKey],
    timestamp: [timestamp.publicKey],
  };
}

/** A repository in memory: what a sound controller would answer, and by `files` whatever a hostile one does. */
export class FakeRepository {
  keys: Keys;
  root: string;
  targets: string;
  snapshot: string;
  timestamp: string;
  /** What is served, by file name. */
  readonly files = new Map<string, string | Uint8Array | AsyncIterable<Uint8Array>>();
  /** What was asked for. */
  readonly asked: string[] = [];

  constructor(keys = makeKeys()) {
    this.keys = keys;
    this.root = makeRoot(undefined, publicKeys(keys), [keys.root]);
    this.targets = withTargets(undefined, {}, keys.targets);
    this.snapshot = makeSnapshot(undefined, this.targets, keys.snapshot);
    this.timestamp = makeTimestamp(undefined, this.snapshot, keys.timestamp);
    this.serve();
  }

  /** Publishes a change of the targets. */
  publish(
    change: { readonly add?: readonly Target[]; readonly remove?: readonly string[] },
    now?: Date,
  ): void {
    this.targets = withTargets(this.targets, change, this.keys.targets, now);
    this.resign(now);
  }

  /** Signs snapshot and timestamp anew. */
  resign(now?: Date): void {
    this.snapshot = makeSnapshot(this.snapshot, this.targets, this.keys.snapshot, now);
    this.timestamp = makeTimestamp(this.timestamp, this.snapshot, this.keys.timestamp, now);
    this.serve();
  }

  /** Replaces some keys; the old root key signs for them, and everything is signed with the new. */
  rotate(replaced: Partial<Keys>): void {
    const old = this.keys;
    this.keys = { ...old, ...replaced };
    this.root = makeRoot(this.root, publicKeys(this.keys), [old.root, this.keys.root]);
    this.publish({});
  }

  serve(): void {
    this.files.set(`${outlineOf(this.root).version}.root.json`, this.root);
    this.files.set(`${outlineOf(this.targets).version}.targets.json`, this.targets);
    this.files.set(`${outlineOf(this.snapshot).version}.snapshot.json`, this.snapshot);
    this.files.set('timestamp.json', this.timestamp);
  }

  /** As a client fetches. */
  readonly fetch = async (file: string): Promise<AsyncIterable<Uint8Array> | undefined> => {
    this.asked.push(file);
    const held = this.files.get(file);
    if (held === undefined) return undefined;
    if (typeof held !== 'string' && !(held instanceof Uint8Array)) return held;
    return ReadableStream.from([Buffer.from(held)]);
  };
}
