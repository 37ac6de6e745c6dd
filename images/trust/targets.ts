import {
  type ChannelId,
  ChannelPointer,
  canonicalJson,
  channelId,
  isChannelId,
  type Manifest,
  manifestBytes,
  type ReleaseId,
  releaseId,
  type SigningKey,
  sha256Of,
} from '@bootswarm/images/format';
import { Metadata, TargetFile, Targets } from '@tufjs/models';
import { signerOf } from './keys.ts';
import { SPEC_VERSION, VALID_MS } from './limits.ts';
import { readMetadata } from './metadata.ts';

/** A file that the targets role is to vouch for. */
export interface Target {
  readonly path: string;
  /** Bytes. */
  readonly length: number;
  readonly sha256: string;
  /** Of a channel: its pointer, so that who has the metadata needs no other file. */
  readonly custom?: Readonly<Record<string, unknown>>;
}

/** Path of a release's manifest: `releases/NAME/VERSION/ARCHITECTURE.json`. */
export function releasePath(id: ReleaseId): string {
  return `releases/${id}.json`;
}

/** Path of a channel's pointer: `channels/NAME/CHANNEL/ARCHITECTURE.json`. */
export function channelPath(id: ChannelId): string {
  return `channels/${id.replace('/@', '/')}.json`;
}

/** Path of what a reference names: a release or a channel. */
export function referencePath(reference: string): string {
  return isChannelId(reference) ? channelPath(reference) : releasePath(reference);
}

export function releaseTarget(manifest: Manifest): Target {
  return targetOf(releasePath(releaseId(manifest)), manifestBytes(manifest));
}

export function channelTarget(pointer: ChannelPointer): Target {
  return {
    ...targetOf(channelPath(channelId(pointer)), Buffer.from(canonicalJson(pointer))),
    custom: { pointer },
  };
}

function targetOf(path: string, bytes: Uint8Array): Target {
  return { path, length: bytes.length, sha256: sha256Of(bytes) };
}

/** By path: what targets metadata vouches for, which was verified and so has the shape. */
export function targetsIn(text: string): ReadonlyMap<string, Target> {
  const { signed } = JSON.parse(text) as {
    readonly signed: {
      readonly targets: Readonly<
        Record<
          string,
          Pick<Target, 'length' | 'custom'> & { readonly hashes: Readonly<Record<string, string>> }
        >
      >;
    };
  };
  return new Map(
    Object.entries(signed.targets).map(([path, { length, hashes, custom }]) => [
      path,
      { path, length, sha256: hashes['sha256'] ?? '', ...(custom && { custom }) },
    ]),
  );
}

/** The releases that targets vouch for. */
export function releasesIn(targets: ReadonlyMap<string, Target>): readonly ReleaseId[] {
  return Array.from(targets.keys()).flatMap((path) => {
    const [, id] = /^releases\/(.+)\.json$/.exec(path) ?? [];
    return id === undefined ? [] : [id];
  });
}

/** The channels that targets vouch for, by id. A pointer that is not what its path and hash say is passed over. */
export function channelsIn(targets: ReadonlyMap<string, Target>): ReadonlyMap<ChannelId, ChannelPointer> {
  const pointers = Array.from(targets.values()).flatMap((target) => {
    const pointer = ChannelPointer.safeParse(target.custom?.['pointer']).data;
    if (!pointer) return [];
    const { path, sha256 } = channelTarget(pointer);
    return path === target.path && sha256 === target.sha256 ? [[channelId(pointer), pointer] as const] : [];
  });
  return new Map(pointers);
}

/**
 * The next version of targets metadata, signed.
 * @param current the text that holds now; undefined makes the first version.
 * @param change `remove` names paths (`releasePath`, `channelPath`) of targets; what is not there is passed over.
 * @param key of the targets role.
 * @throws Problem metadata_unreadable
 */
export function withTargets(
  current: string | undefined,
  change: { readonly add?: readonly Target[]; readonly remove?: readonly string[] },
  key: SigningKey,
  now: Date = new Date(),
): string {
  const held = current === undefined ? undefined : readMetadata('targets', current).signed;
  const targets = { ...held?.targets };
  for (const path of change.remove ?? []) delete targets[path];
  for (const { path, length, sha256, custom } of change.add ?? [])
    targets[path] = new TargetFile({
      path,
      length,
      hashes: { sha256 },
      // A round through JSON leaves out what is undefined, as the signed text does.
      ...(custom && { unrecognizedFields: JSON.parse(JSON.stringify({ custom })) }),
    });
  const expires = new Date(now.getTime() + VALID_MS.targets).toISOString();
  const next = new Metadata(
    new Targets({ specVersion: SPEC_VERSION, version: (held?.version ?? 0) + 1, expires, targets }),
  );
  next.sign(signerOf(key), false);
  return JSON.stringify(next.toJSON());
}
