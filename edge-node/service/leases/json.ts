import { factsOf, type LeaseFormat, leaseFrom, type Reading, readingOf, type Wrong } from './lease-file.ts';

const FORMAT = 1;

/** `{ "format": 1, "leases": [...] }`, each lease on a line of its own. */
export const json: LeaseFormat = {
  render: (leases) =>
    `{"format":${FORMAT},"leases":[${leases.map((lease) => `\n${JSON.stringify(factsOf(lease))}`).join(',')}\n]}\n`,
  read,
};

function read(text: string): Reading {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return refused(`it is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { format, leases, ...others } = (document ?? {}) as Readonly<Record<string, unknown>>;
  if (format !== FORMAT) return refused(`"format" must be ${FORMAT}`);
  if (!Array.isArray(leases)) return refused('"leases" must be a list');
  const [other] = Object.keys(others);
  if (other !== undefined) return refused(`"${other}" is nothing that belongs there`);
  return readingOf(leases.map((each: unknown, at) => leaseFrom(each, `leases[${at}]`)));
}

function refused(reason: string): Reading {
  const wrong: Wrong = { where: 'the file', reason };
  return { leases: [], wrong: [wrong] };
}
