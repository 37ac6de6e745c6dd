import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, endpoints, type Release, type Upload } from '@bootswarm/controller/contract';
import type { BuildFolder } from '@bootswarm/images/build';
import { type Artefact, Problem } from '@bootswarm/images/format';
import { releaseTarget } from '@bootswarm/images/trust';
import { problem } from './problems.ts';
import type { KeyFolder } from './signing/key-folder.ts';
import { currentTrust, signTargets } from './signing/operator-trust.ts';

/** Bytes of one request: what a broken connection costs at most is its last packets, what a lost one costs is this. */
const REQUEST_BYTES = 64 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;
/** Tries in a row that bring nothing before giving up: 31 s of waiting, longer than the controller waits for a sender. */
const TRIES = 7;

export interface PublishOptions {
  /** Whose signature the release gets. */
  readonly keys: KeyFolder;
  readonly signal: AbortSignal;
  /** Told the bytes that the controller holds, of all artefacts together, and their sum. */
  readonly onBytes: (held: number, total: number) => void;
  /** Called where the controller got other bytes than the manifest says; throws where the build itself is damaged. */
  readonly findDamage: () => Promise<unknown>;
}

/**
 * Sends the artefacts that the controller does not hold, going on where an earlier try broke off, and then
 * signs and publishes the release.
 * @throws Problem of the keys and of the controller, or controller_unreachable when it stays away.
 */
export async function publish(
  client: Client,
  build: BuildFolder,
  { keys, signal, onBytes, findDamage }: PublishOptions,
): Promise<Release> {
  const { manifest } = build;
  // Asked first: who cannot sign should not send gigabytes.
  await currentTrust(client, keys, signal);
  keys.key('targets');
  const target = releaseTarget(manifest);
  for (let tries = 1; ; tries++) {
    try {
      await sendArtefacts(client, build, signal, onBytes);
      const release = await signTargets(
        { client, keys, signal },
        () => ({ add: [target] }),
        (targets) => client.call(endpoints.publishRelease, { body: { manifest, targets } }, { signal }),
      );
      return release as Release;
    } catch (error) {
      if (hasCode(error, 'upload_wrong_hash')) await findDamage();
      // No release named it any more, and it was removed after it had been found whole.
      if (!hasCode(error, 'release_artefact_missing') || tries >= TRIES) throw error;
    }
  }
}

async function sendArtefacts(
  client: Client,
  { manifest, artefactPath }: BuildFolder,
  signal: AbortSignal,
  onBytes: PublishOptions['onBytes'],
): Promise<void> {
  const total = manifest.artefacts.reduce((sum, artefact) => sum + artefact.length, 0);
  let before = 0;
  for (const artefact of manifest.artefacts) {
    const told = (held: number): void => onBytes(before + held, total);
    await sendArtefact(client, artefact, artefactPath(artefact), signal, told);
    before += artefact.length;
  }
}

async function sendArtefact(
  client: Client,
  artefact: Artefact,
  path: string,
  signal: AbortSignal,
  onBytes: (held: number) => void,
): Promise<void> {
  const params = { sha256: artefact.sha256 };
  for (let failures = 0, last = -1; ; ) {
    try {
      const upload = await client.call(endpoints.showUpload, { params }, { signal });
      onBytes(upload.received);
      if (upload.complete) return;
      // More than the file holds stems from another file under this name: begin anew.
      const offset = upload.received > artefact.length ? 0 : upload.received;
      if (offset > last) failures = 0;
      last = offset;
      const after = await sendPart(client, artefact, path, offset, signal, onBytes);
      if (!after.complete && after.received === offset) throw problem('file_shrank', { facts: { path } });
    } catch (error) {
      if (!isPassing(error) || ++failures >= TRIES) throw error;
      await sleep(250 * 2 ** failures, undefined, { signal });
    }
  }
}

async function sendPart(
  client: Client,
  artefact: Artefact,
  path: string,
  offset: number,
  signal: AbortSignal,
  onBytes: (held: number) => void,
): Promise<Upload> {
  const end = Math.min(offset + REQUEST_BYTES, artefact.length);
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    // All is there but unverified: the controller stopped between the last byte and its hash.
    if (offset === end) return;
    let held = offset;
    for await (const chunk of createReadStream(path, {
      start: offset,
      end: end - 1,
      highWaterMark: READ_BYTES,
    })) {
      yield chunk as Uint8Array;
      held += (chunk as Uint8Array).length;
      onBytes(held);
    }
  };
  const request = { params: { sha256: artefact.sha256 }, query: { offset, length: artefact.length } };
  return client.send(endpoints.sendUpload, request, counted(), { signal });
}

function isPassing(error: unknown): boolean {
  return hasCode(error, 'controller_unreachable', 'upload_busy', 'upload_offset');
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Problem && codes.includes(error.code);
}
