import { mkdirSync, writeFileSync } from 'node:fs';
import { digestOf, type Manifest } from '@bootswarm/images/format';

export interface BuildFiles {
  readonly kernel: Uint8Array;
  readonly initramfs: Uint8Array;
  readonly root: Uint8Array;
}

const NAMES = { kernel: 'vmlinuz', initramfs: 'initrd.img', root: 'root.squashfs' } as const;

/** Writes a build folder as `bootswarm image publish` takes it, without building an image. */
export async function writeBuildFolder(
  folder: string,
  files: BuildFiles,
  kernelArguments: readonly string[] = ['boot=live'],
  version = '1',
): Promise<Manifest> {
  mkdirSync(folder);
  const artefacts: Manifest['artefacts'] = [];
  for (const role of ['kernel', 'initramfs', 'root'] as const) {
    const [name, bytes] = [NAMES[role], files[role]];
    writeFileSync(`${folder}/${name}`, bytes);
    const { pieces, ...digest } = await digestOf(ReadableStream.from([bytes]));
    artefacts.push({ role, name, ...digest, pieces: [...pieces] });
  }
  const manifest: Manifest = {
    format: 1,
    name: 'interop',
    version,
    architecture: 'amd64',
    bootStyle: 'live-boot',
    kernelArguments: [...kernelArguments],
    artefacts,
  };
  writeFileSync(`${folder}/manifest.json`, JSON.stringify(manifest));
  return manifest;
}
