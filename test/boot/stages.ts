/** What the demo tells as it happens, for a person or as JSON lines. */
interface StageEvent {
  readonly stage: string;
  /** Missing for what concerns no single machine. */
  readonly machine?: string;
  readonly detail: string;
}

export interface StageReport {
  tell(event: StageEvent): void;
}

/** Seconds count from now. */
export function makeStageReport(json: boolean, write: (line: string) => void): StageReport {
  const startedAt = performance.now();
  return {
    tell: (event) => {
      const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
      write(json ? JSON.stringify({ seconds, ...event }) : lineOf(seconds, event));
    },
  };
}

function lineOf(seconds: number, { stage, machine = '', detail }: StageEvent): string {
  return `${seconds.toFixed(1).padStart(6)} s  ${machine.padEnd(5)} ${stage.padEnd(10)} ${detail}`;
}
