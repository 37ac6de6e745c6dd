import koffi from 'koffi';
import { problem } from '../problems.ts';
import { AF_INET, close, lastErrno, SOCK_CLOEXEC, SOCK_RAW, setsockopt, socket } from './libc.ts';

export const IPPROTO_ICMP = 1;
export const IPPROTO_UDP = 17;

const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_ATTACH_FILTER = 26;
/** struct sock_filter, and struct sock_fprog of 64-bit Linux. */
const INSTRUCTION_BYTES = 8;
const PROGRAM_BYTES = 16;

/** One instruction of a classic BPF program (bpf(4)): code, jumps, operand. */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

export interface RawSocketOptions {
  readonly protocol: number;
  /** All interfaces unless said. */
  readonly interfaceName?: string;
  /** Which packets are heard at all. The IP header comes first. */
  readonly filter: readonly Instruction[];
}

/**
 * A raw IPv4 socket (raw(7)): it gets a copy of every packet of its protocol that the filter lets through, and
 * takes none from anybody else.
 * @returns its file descriptor.
 * @throws Problem not_root
 */
export function openRawIpv4({ protocol, interfaceName, filter }: RawSocketOptions): number {
  const fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);
  const device = interfaceName === undefined ? undefined : Buffer.from(`${interfaceName}\0`);
  const done =
    fd >= 0 &&
    (device === undefined || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, device.length) === 0) &&
    attachFilter(fd, filter);
  if (done) return fd;
  const errno = lastErrno();
  if (fd >= 0) close(fd);
  if (errno === koffi.os.errno['EPERM'] || errno === koffi.os.errno['EACCES'])
    throw problem('not_root', { facts: { port: `raw IPv4 protocol ${protocol}` } });
  throw new Error(`a raw socket of IPv4 protocol ${protocol}: errno ${errno}`);
}

/** The payload behind an IPv4 header of `bytes`, and who sent it. */
export function ipv4Payload(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(((bytes[0] ?? 0) & 0x0f) * 4);
}

function attachFilter(fd: number, filter: readonly Instruction[]): boolean {
  const instructions = Buffer.alloc(filter.length * INSTRUCTION_BYTES);
  for (const [i, [code, ifTrue, ifFalse, operand]] of filter.entries()) {
    const at = i * INSTRUCTION_BYTES;
    instructions.writeUInt16LE(code, at);
    instructions.writeUInt8(ifTrue, at + 2);
    instructions.writeUInt8(ifFalse, at + 3);
    instructions.writeUInt32LE(operand, at + 4);
  }
  const program = Buffer.alloc(PROGRAM_BYTES);
  program.writeUInt16LE(filter.length, 0);
  program.writeBigUInt64LE(koffi.address(instructions) as bigint, 8);
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length) === 0;
}
