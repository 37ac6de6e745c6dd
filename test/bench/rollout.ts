import { SimulatedFleet, sampleRollout } from '@bootswarm/controller/rollouts/simulation';
import { type Bench, type Measurement, OURS } from './bench.ts';

const MACHINES = 10_000;
const SEGMENTS = 100;
const RACKS = 250;
/** Milliseconds of a tick within which the planner must have decided, so that 5 s between ticks are idle. */
const BOUND_MS = 50;
/** Of a hundred machines so many fail, far below what the rollouts allow. */
const FAILING_PERCENT = 1;
const TICKS_MOST = 20_000;

const order = {
  waves: '5,1%,10%,rest',
  gates: { failuresMost: '20%', soakMinutes: 10 },
  hooks: {
    before: { url: 'https://drain.example/', secret: 'hooks' },
    after: { url: 'https://drain.example/', secret: 'hooks' },
  },
};

/**
 * Two rollouts over 10,000 machines, from their first tick to the last, with the clock and the machines played. After
 * each tick every limit of both is held against what is in flight. A tick waits for nothing, so its time is that of the
 * CPU; on a host that is busy with others it takes longer by the wall (`plan_wall_p99_ms`).
 */
export const rolloutBench: Bench = {
  name: 'rollout',
  summary: `the planner of rollouts over ${MACHINES} machines, against ${BOUND_MS} ms for a tick`,
  better: { plan_p99_ms: 'less' },
  async prepare() {
    const subjects = { [OURS]: async () => measure(), bound: async () => ({ plan_p99_ms: BOUND_MS }) };
    return { cases: [{ name: `${MACHINES} machines`, subjects }], async [Symbol.asyncDispose]() {} };
  },
};

function measure(): Measurement {
  const fleet = laid();
  let mostInFlight = 0;
  for (let ticks = 0; fleet.site().rollouts.length > 0; ticks++) {
    if (ticks > TICKS_MOST) throw new Error('the rollouts came to no end');
    fleet.tick();
    mostInFlight = Math.max(mostInFlight, play(fleet));
    fleet.pass(1);
  }
  const cpu = fleet.planMs.map((each) => each.cpu).toSorted((a, b) => a - b);
  const wall = fleet.planMs.map((each) => each.wall).toSorted((a, b) => a - b);
  const done = [...fleet.held.values()].flatMap(({ machines }) => [...machines.values()]);
  const through = done.filter(({ step }) => step === 'done').length;
  if (through < MACHINES * 0.9) throw new Error(`only ${through} machines came to be done`);
  return {
    plan_p99_ms: cpu[Math.floor(cpu.length * 0.99)] ?? 0,
    plan_most_ms: cpu.at(-1) ?? 0,
    plan_wall_p99_ms: wall[Math.floor(wall.length * 0.99)] ?? 0,
    ticks: cpu.length,
    in_flight_most: mostInFlight,
  };
}

function laid(): SimulatedFleet {
  // Every second segment has a pair of edges.
  const edgesOf = (segment: string): readonly string[] => {
    const n = Number(segment.slice(3));
    return n % 2 === 0 ? [`edge${n}`, `edge${n + 1}`] : [`edge${n}`];
  };
  const fleet = new SimulatedFleet(edgesOf, 'tick');
  const shares = [
    { name: 'first', machines: 7000, limits: { atOnce: 1500, perEdge: 20, perRack: 8 } },
    { name: 'second', machines: MACHINES - 7000, limits: { atOnce: 1000, perEdge: 15, perSegment: 12 } },
  ];
  for (const { name, machines, limits } of shares) {
    const candidates = Array.from({ length: machines }, (_, n) => ({
      machine: `${name}-${String(n).padStart(5, '0')}`,
      place: { segment: `seg${n % SEGMENTS}`, rack: `rack${n % RACKS}` },
    }));
    const { rollout, machines: records } = sampleRollout({ ...order, name, limits }, candidates);
    fleet.start(rollout, records);
  }
  return fleet;
}

/** Whoever is asked agrees, and machines come up within some minutes, each in its own time. @returns how many are in flight. */
function play(fleet: SimulatedFleet): number {
  let inFlight = 0;
  for (const id of [...fleet.errands.keys()]) fleet.answer(id, true);
  for (const { machines } of fleet.held.values())
    for (const { machine, step, since } of machines.values()) {
      if (step !== 'booting') continue;
      inFlight += 1;
      const luck = Number(machine.slice(-5)) * 7919;
      const minutes = (fleet.now.getTime() - Date.parse(since)) / 60_000;
      if (minutes === 1) fleet.tell(machine, { kind: 'begun' });
      if (minutes < 3 + (luck % 8)) continue;
      fleet.tell(
        machine,
        luck % 100 < FAILING_PERCENT ? { kind: 'failed', detail: 'no disk' } : { kind: 'up' },
      );
    }
  return inFlight;
}
