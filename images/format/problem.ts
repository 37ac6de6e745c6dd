/**
 * The one error shape of the project: what went wrong, in which field, and what to do next.
 * Each room keeps its own catalogue of them as data (`defineProblems`), so that codes and remedies
 * can be read in one place and documented from it.
 */
export interface ProblemTemplate {
  /** HTTP status where the problem crosses the wire. */
  readonly status: number;
  /** May name facts in braces, as in `no package {package} in {suite}`. */
  readonly message: string;
  /** What the reader should do next. May name facts in braces too. */
  readonly remedy: string;
}

export type Facts = Readonly<Record<string, string | number>>;

/** As it crosses the wire and as `--json` prints it. */
export interface ProblemBody {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly field?: string;
}

export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly remedy: string;
  readonly field: string | undefined;

  constructor(body: ProblemBody, status: number, options?: ErrorOptions) {
    super(body.message, options);
    this.name = 'Problem';
    this.code = body.code;
    this.status = status;
    this.remedy = body.remedy;
    this.field = body.field;
  }

  toBody(): ProblemBody {
    return {
      code: this.code,
      message: this.message,
      remedy: this.remedy,
      ...(this.field === undefined ? {} : { field: this.field }),
    };
  }
}

export interface ProblemDetail {
  readonly field?: string;
  readonly facts?: Facts;
  readonly cause?: unknown;
}

/**
 * Makes a catalogue callable: `problem('release_exists', { field: 'version', facts: { name } })`.
 * @throws nothing; it returns the Problem for the caller to throw.
 */
export function defineProblems<const Catalogue extends Readonly<Record<string, ProblemTemplate>>>(
  catalogue: Catalogue,
): (code: keyof Catalogue & string, detail?: ProblemDetail) => Problem {
  return (code, detail = {}) => {
    const template = catalogue[code] as ProblemTemplate;
    const body = {
      code,
      message: fill(template.message, detail.facts),
      remedy: fill(template.remedy, detail.facts),
      ...(detail.field === undefined ? {} : { field: detail.field }),
    };
    return new Problem(
      body,
      template.status,
      detail.cause === undefined ? undefined : { cause: detail.cause },
    );
  };
}

function fill(template: string, facts: Facts = {}): string {
  return template.replace(/\{(\w+)\}/g, (hole, name: string) => String(facts[name] ?? hole));
}
