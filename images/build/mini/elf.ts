/**
 * What of an ELF file tells what else it needs: the libraries of a program, and what a kernel module says of itself.
 * Sources: elf(5); System V ABI, "Object Files" and "Dynamic Linking". 64-bit little-endian only, as are amd64 and arm64.
 */
const MAGIC = 0x7f454c46;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NULL = 0;
const DT_NEEDED = 1;
const SHT_STRTAB = 3;

interface Section {
  readonly name: string;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

/** Whether a file begins as a 64-bit ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  if (bytes.length < 64) return false;
  const view = viewOf(bytes);
  return view.getUint32(0) === MAGIC && bytes[4] === CLASS_64 && bytes[5] === LITTLE_ENDIAN;
}

/** What the dynamic linker is to find for a program or library; neither for one that is linked statically. */
export interface Needs {
  /** Path of the dynamic linker. */
  readonly interpreter: string | undefined;
  /** Names such as `libc.so.6`. */
  readonly libraries: readonly string[];
}

/** @throws RangeError where the file is damaged. */
export function needsOf(bytes: Uint8Array): Needs {
  const view = viewOf(bytes);
  const libraries: string[] = [];
  let interpreter: string | undefined;
  for (const { type, offset, size } of programHeaders(view)) {
    if (type === PT_INTERP) interpreter = textAt(bytes, offset);
    if (type !== PT_DYNAMIC) continue;
    const strings = dynamicStrings(bytes);
    for (let at = offset; at + 16 <= offset + size; at += 16) {
      const tag = numberAt(view, at);
      if (tag === DT_NULL) break;
      if (tag === DT_NEEDED) libraries.push(textAt(bytes, strings + numberAt(view, at + 8)));
    }
  }
  return { interpreter, libraries };
}

/** The bytes of the section `name`, or none. @throws RangeError where the file is damaged. */
export function sectionOf(bytes: Uint8Array, name: string): Uint8Array | undefined {
  const found = sections(bytes).find((section) => section.name === name);
  return found && bytes.subarray(found.offset, found.offset + found.size);
}

function programHeaders(
  view: DataView,
): readonly { readonly type: number; readonly offset: number; readonly size: number }[] {
  const [first, each, count] = [numberAt(view, 32), view.getUint16(54, true), view.getUint16(56, true)];
  return Array.from({ length: count }, (_, index) => {
    const at = first + index * each;
    return {
      type: view.getUint32(at, true),
      offset: numberAt(view, at + 8),
      size: numberAt(view, at + 32),
    };
  });
}

/** Where the names of the dynamic section stand in the file: what is not stripped of its sections names them. */
function dynamicStrings(bytes: Uint8Array): number {
  const found = sections(bytes).find(({ name, type }) => name === '.dynstr' && type === SHT_STRTAB);
  if (!found) throw new RangeError('the ELF file has a dynamic part and no .dynstr');
  return found.offset;
}

function sections(bytes: Uint8Array): readonly Section[] {
  const view = viewOf(bytes);
  const [first, each] = [numberAt(view, 40), view.getUint16(58, true)];
  const [count, namesIndex] = [view.getUint16(60, true), view.getUint16(62, true)];
  if (count === 0) return [];
  const names = numberAt(view, first + namesIndex * each + 24);
  return Array.from({ length: count }, (_, index) => {
    const at = first + index * each;
    return {
      name: textAt(bytes, names + view.getUint32(at, true)),
      type: view.getUint32(at + 4, true),
      offset: numberAt(view, at + 24),
      size: numberAt(view, at + 32),
    };
  });
}

/** A 64-bit number, which in a file that fits on a disk is exact. */
function numberAt(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function textAt(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at);
  if (at > bytes.length || end < 0) throw new RangeError('the ELF file ends inside a name');
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString('latin1');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
