import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode } from '@bootswarm/edge-node/tftp';
import { BEGUN, type Download, firstRequest, onServerPacket } from './tftp-download.ts';

const SERVER_PORT = 69;
const SILENCE_MS = 10_000;

/**
 * Fetches a boot file as a ROM does, and keeps nothing of it.
 * @param from the machine's own address: the edge knows it by that.
 * @returns its bytes. @throws Error where it does not come; the signal's reason.
 */
export async function fetchByTftp(
  { server, file, from }: { readonly server: string; readonly file: string; readonly from: string },
  signal: AbortSignal,
): Promise<number> {
  const socket = createSocket('udp4');
  const ended = Promise.withResolvers<number>();
  const silence = setTimeout(
    () => ended.reject(new Error(`${file} by TFTP: ${server} is silent`)),
    SILENCE_MS,
  );
  const abort = (): void => ended.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  socket.on('error', (error) => ended.reject(error));
  let download: Download = BEGUN;
  socket.on('message', (bytes, { port }) => {
    const decoded = decode(bytes);
    if (!decoded.ok) return;
    silence.refresh();
    const step = onServerPacket(download, decoded.packet);
    if (step.kind === 'failed') return ended.reject(new Error(`${file} by TFTP: ${step.reason}`));
    if (step.send) socket.send(encode(step.send), port, server);
    if (step.kind === 'done') ended.resolve(step.bytes);
    else download = step.download;
  });
  try {
    signal.throwIfAborted();
    socket.bind(0, from);
    await Promise.race([once(socket, 'listening'), ended.promise]);
    socket.send(encode(firstRequest(file)), SERVER_PORT, server);
    return await ended.promise;
  } finally {
    clearTimeout(silence);
    signal.removeEventListener('abort', abort);
    ended.promise.catch(() => {});
    // The last ACK leaves before the socket does.
    setImmediate(() => socket.close());
  }
}
