const HEADER = 64;
const SECTION = 64;
const STRTAB = 3;
const PROGBITS = 1;

/** The least ELF file (elf(5)) that has these sections and no program. */
export function elfOf(sections: Readonly<Record<string, Uint8Array>>): Buffer {
  const names = ['', ...Object.keys(sections), '.shstrtab'];
  const strings = Buffer.from(`${names.join('\0')}\0`);
  const contents = [...Object.values(sections), strings];
  const header = Buffer.alloc(HEADER);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  const table = Buffer.alloc(SECTION * names.length);
  let at = HEADER;
  for (const [index, bytes] of contents.entries()) {
    const entry = SECTION * (index + 1);
    const name = names[index + 1] ?? '';
    table.writeUInt32LE(strings.indexOf(`\0${name}\0`) + 1, entry);
    table.writeUInt32LE(name === '.shstrtab' ? STRTAB : PROGBITS, entry + 4);
    table.writeBigUInt64LE(BigInt(at), entry + 24);
    table.writeBigUInt64LE(BigInt(bytes.length), entry + 32);
    at += bytes.length;
  }
  header.writeBigUInt64LE(BigInt(at), 40);
  header.writeUInt16LE(SECTION, 58);
  header.writeUInt16LE(names.length, 60);
  header.writeUInt16LE(names.length - 1, 62);
  return Buffer.concat([header, ...contents, table]);
}
