import { readFile } from 'node:fs/promises';
import type { BootStage } from '@bootswarm/controller/contract';
import type { Caps } from '@bootswarm/edge-node/tftp';
import { asAutoexec, renderGrub, renderHandover, renderPxelinux, renderScript } from '@bootswarm/ipxe';
import { findInTree, isMissed, plainName, type TreeEntry } from '../decide/boot-tree.ts';
import { parseMap, type RemapRule, remap } from '../decide/remap.ts';
import { missingNews, refusedNews, tftpNews } from '../decide/transfer-news.ts';
import { problem } from '../problems.ts';
import type { TftpAnswer, TftpRequest } from '../sockets/tftp-server.ts';
import type { Serving } from './serving.ts';

export interface TftpTreeParts {
  readonly serving: Pick<
    Serving,
    'planFor' | 'artefactOf' | 'bytesOf' | 'tftpCapsOf' | 'viewerAt' | 'tell' | 'tellAbsent'
  >;
  readonly firmware: ReadonlyMap<string, Uint8Array>;
  readonly httpPort: number;
  readonly rules: readonly RemapRule[];
}

/** The tree that machines see by TFTP: nothing of it is a path of this host. */
export class TftpTree {
  readonly #parts: TftpTreeParts;
  /** Artefacts that are being read, by SHA-256: a rack asks at once. */
  readonly #reading = new Map<string, Promise<Uint8Array>>();

  constructor(parts: TftpTreeParts) {
    this.#parts = parts;
  }

  fileOf(request: TftpRequest): TftpAnswer | Promise<TftpAnswer> {
    const { rules, firmware, serving } = this.#parts;
    const { clientAddress, file } = request;
    const mapped = remap(rules, file, clientAddress);
    if (mapped.kind !== 'name') {
      if (isMissed(plainName(file))) serving.tell('firmware', clientAddress, refusedNews(file, mapped.kind));
      return 'forbidden';
    }
    const name = plainName(mapped.name);
    const entry = findInTree(name, serving.viewerAt(clientAddress), firmware);
    const answer = entry && this.#answer(entry, request);
    if (!answer && entry?.kind === 'artefact') serving.tellAbsent(clientAddress, entry.id, entry.name);
    else if (!answer && isMissed(name)) serving.tell('firmware', clientAddress, missingNews(name, 'TFTP'));
    return answer;
  }

  capsOf(clientAddress: string): Caps {
    const { blockBytesMost, windowMost } = this.#parts.serving.tftpCapsOf(clientAddress);
    return { maxBlockBytes: blockBytesMost, maxWindow: windowMost };
  }

  /** Journals how a transfer ended. */
  tellEnd({ file, clientAddress }: TftpRequest, ending: string): void {
    const { serving, rules } = this.#parts;
    const mapped = remap(rules, file, clientAddress);
    const name = plainName(mapped.kind === 'name' ? mapped.name : file);
    serving.tell(this.#stageOf(name), clientAddress, tftpNews(name, ending));
  }

  #answer(entry: TreeEntry, request: TftpRequest): TftpAnswer | Promise<TftpAnswer> {
    switch (entry.kind) {
      case 'firmware': {
        const bytes = this.#parts.firmware.get(entry.name);
        return bytes && { bytes };
      }
      case 'artefact':
        return this.#artefact(entry.id, entry.name);
      case 'config': {
        const reading = this.#config(entry, request);
        return reading.then((text) =>
          text === undefined ? undefined : { bytes: new Uint8Array(Buffer.from(text)) },
        );
      }
    }
  }

  /** Kernels and initramfs alone: a root is far too long for TFTP. */
  #artefact(id: string, name: string): TftpAnswer | Promise<TftpAnswer> {
    const artefact = this.#parts.serving.artefactOf(id, name);
    if (!artefact || artefact.role === 'root') return undefined;
    const bytes = this.#parts.serving.bytesOf(artefact);
    if (bytes) return { bytes };
    const { sha256 } = artefact;
    let reading = this.#reading.get(sha256);
    if (!reading) {
      reading = readFile(artefact.path).finally(() => this.#reading.delete(sha256));
      this.#reading.set(sha256, reading);
    }
    return reading.then((read) => ({ bytes: read }));
  }

  async #config(
    { style, machine }: TreeEntry & { kind: 'config' },
    { clientAddress, serverAddress }: TftpRequest,
  ): Promise<string | undefined> {
    const httpUrl = `http://${serverAddress}:${this.#parts.httpPort}`;
    if (style === 'ipxe' && !machine) return renderHandover(httpUrl);
    const planned = await this.#parts.serving.planFor({ address: clientAddress, machine, httpUrl });
    if (!planned) return undefined;
    const { plan, where } = planned;
    if (style === 'ipxe') return asAutoexec(renderScript(plan, where));
    return style === 'grub' ? renderGrub(plan, machine?.mac || undefined) : renderPxelinux(plan);
  }

  #stageOf(name: string): BootStage {
    const nobody = { address: '0.0.0.0', machine: undefined, isLeased: false };
    const entry = findInTree(name, nobody, this.#parts.firmware);
    if (entry?.kind === 'config') return 'script';
    const role = entry?.kind === 'artefact' && this.#parts.serving.artefactOf(entry.id, entry.name)?.role;
    return role || 'firmware';
  }
}

/** @throws Problem tftp_map_unreadable, tftp_map_wrong */
export async function readMapFile(file: string): Promise<readonly RemapRule[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw problem('tftp_map_unreadable', {
      field: 'tftp-map',
      facts: { file, reason: error.message },
      cause: error,
    });
  });
  const parsed = parseMap(text);
  if (parsed.ok) return parsed.rules;
  const { line, reason } = parsed;
  throw problem('tftp_map_wrong', { field: 'tftp-map', facts: { file, line, reason } });
}
