import type { TftpOptions } from './packet.ts';

/** What holds for one transfer. */
export interface Terms {
  readonly blockBytes: number;
  /** Blocks in flight before an ACK is due. */
  readonly windowSize: number;
  readonly timeoutSeconds: number;
  /** The OACK's content: only what was asked (RFC 2347; more breaks EFI, quirk 9). Empty means no OACK. */
  readonly acknowledged: TftpOptions;
}

/** What a segment and a class of client bear. */
export interface Caps {
  /** Below the path's MTU less 32 (quirk 10), or what a class of firmware wants (quirk 11). */
  readonly maxBlockBytes: number;
  readonly maxWindow: number;
}

const DEFAULT_BLOCK_BYTES = 512;
const DEFAULT_TIMEOUT_SECONDS = 1;
/** Wider windows fail in clients (quirk 12). */
const WINDOW_LIMIT = 16;

/**
 * Answers a request's options; a value outside its range is passed over, as if the option were not there.
 * @param file.lengthBytes of what is sent: after conversion, in netascii.
 */
export function negotiate(requested: TftpOptions, file: { readonly lengthBytes: number }, caps: Caps): Terms {
  const acknowledged = new Map<string, string>();
  const agree = (name: string, min: number, max: number, answer: (asked: number) => number) => {
    const text = requested.get(name);
    if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
    const asked = Number(text);
    if (asked < min || asked > max) return undefined;
    const answered = answer(asked);
    acknowledged.set(name, String(answered));
    return answered;
  };
  const windowCap = Math.min(caps.maxWindow, WINDOW_LIMIT);

  // RFC 2348, 7440 and 2349, each with its range; a client may be given less than it asks, but not another timeout.
  const blockBytes = agree('blksize', 8, 65464, (asked) => Math.min(asked, caps.maxBlockBytes));
  const windowSize = agree('windowsize', 1, 65535, (asked) => Math.min(asked, windowCap));
  const timeoutSeconds = agree('timeout', 1, 255, (asked) => asked);
  agree('tsize', 0, Number.MAX_SAFE_INTEGER, () => file.lengthBytes);
  return {
    blockBytes: blockBytes ?? DEFAULT_BLOCK_BYTES,
    windowSize: windowSize ?? 1,
    timeoutSeconds: timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
    acknowledged,
  };
}
