import {
  FACT_NAMES,
  factsOf,
  type LeaseFormat,
  leaseFrom,
  NEEDED_FACTS,
  type Reading,
  readingOf,
} from './lease-file.ts';

/** A table with a head of column names (RFC 4180). A fact that a lease does not have is an empty field. */
export const csv: LeaseFormat = {
  render: (leases) =>
    [FACT_NAMES, ...leases.map(factsOf).map((facts) => FACT_NAMES.map((name) => facts[name] ?? ''))]
      .map((fields) => `${fields.map(quoted).join(',')}\r\n`)
      .join(''),
  read,
};

interface Row {
  readonly line: number;
  readonly fields: readonly string[];
}

function read(text: string): Reading {
  // Spreadsheets begin UTF-8 with a byte order mark.
  const rows = rowsOf(text.replace(/^\uFEFF/, ''));
  if (typeof rows === 'number')
    return refused(rows, 'a quoted field does not end, or goes on after its quote');
  const [head, ...body] = rows.filter(({ fields }) => fields.some((field) => field !== ''));
  if (!head) return refused(1, 'it is empty: the first line must name the columns');
  const known: readonly string[] = FACT_NAMES;
  const unknown = head.fields.find((name, at) => !known.includes(name) || head.fields.indexOf(name) !== at);
  if (unknown !== undefined)
    return refused(head.line, `'${unknown}' is no column, or is there twice; there are ${known.join(', ')}`);
  const missing = NEEDED_FACTS.find((name) => !head.fields.includes(name));
  if (missing !== undefined) return refused(head.line, `the column '${missing}' is missing`);
  return readingOf(
    body.map(({ line, fields }) => {
      const where = `line ${line}`;
      if (fields.length !== head.fields.length)
        return [{ where, reason: `it has ${fields.length} fields, and the head has ${head.fields.length}` }];
      const facts = head.fields.map((name, at) => [name, fields[at] || undefined] as const);
      return leaseFrom(Object.fromEntries(facts), where);
    }),
  );
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** @returns the rows, or the line of what cannot be split into fields. */
function rowsOf(text: string): Row[] | number {
  const rows: Row[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let line = 1;
  let fields: string[] = [];
  let rowLine = line;
  while (field.lastIndex < text.length || fields.length > 0) {
    const found = field.exec(text);
    if (!found) return line;
    const [all, inQuotes, bare = '', end] = found;
    fields.push(inQuotes?.replaceAll('""', '"') ?? bare);
    line += all.split('\n').length - 1;
    if (end === ',') continue;
    rows.push({ line: rowLine, fields });
    fields = [];
    rowLine = line;
  }
  return rows;
}

function refused(line: number, reason: string): Reading {
  return { leases: [], wrong: [{ where: `line ${line}`, reason }] };
}
