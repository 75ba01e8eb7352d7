import {
  compile,
  manualSeed,
  noGrad,
  randn,
  realize,
  StateError,
  Tensor,
  tensor,
} from "@gradloom/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Adam, SGD } from "../src/index.ts";

/** What happens next; the numbers say to which tensors, whatever there are. */
interface Action {
  readonly kind: string;
  readonly a: number;
  readonly b: number;
  readonly to: number;
}

/** A program: what happens, and a function that it calls, which may be compiled. */
interface Program {
  readonly body: readonly Action[];
  readonly section: readonly Action[];
}

/** Ways to run a program that must not matter. */
interface Way {
  /** All that can be read is read after each action: nothing is ever left to be computed later. */
  readonly readsAtOnce?: boolean;
  readonly isCompiled?: boolean;
}

/** Shapes that broadcast with each other. */
const values = [0.7, [0.5, -0.3, 0.8], [0.2, -0.4, 0.3].map((x) => [x, -x, 2 * x])];

/** Everything that a program changes. */
class World {
  readonly parameters: readonly Tensor[] = values.map((value) =>
    tensor(value, { dtype: "float64", requiresGrad: true }),
  );
  readonly state = new Tensor(tensor([0.1, 0.2, 0.3], { dtype: "float64" }));
  readonly tensors: Tensor[] = values.map((value) => tensor(value, { dtype: "float64" }).mul(2));
  readonly optimizers = [
    new SGD(this.parameters, { lr: 0.05, momentum: 0.9 }),
    new Adam(this.parameters.slice(1), { lr: 0.02 }),
  ];
  readonly log: (readonly number[])[] = [];

  read(x: Tensor): void {
    this.log.push(valuesOf(x));
  }

  /** Parameters and their gradients, the state, and what has been computed. */
  get all(): Tensor[] {
    const gradients = this.parameters.map(({ grad }) => grad).filter((grad) => grad !== null);
    return [...this.parameters, ...gradients, this.state, ...this.tensors];
  }
}

type Effect = (world: World, x: Tensor, y: Tensor, action: Action) => Tensor | undefined;

/** What a compiled function may do as well. Results are tanh of something, so that they stay small. */
const effects: Readonly<Record<string, Effect>> = {
  add: (_, x, y) => x.add(y).tanh(),
  mul: (_, x, y) => x.mul(y).tanh(),
  sub: (_, x, y) => x.sub(y).tanh(),
  mean: (_, x) => x.mean(),
  flip: (_, x) => (x.ndim > 0 ? x.flip(-1) : x),
  normalize: (_, x) => x.sub(x.mean()).div(x.square().mean().add(1)),
  noise: (_, x) => x.add(randn([3], { dtype: "float64" })).tanh(),
  detach: (_, x) => x.detach().mul(0.9),
  noGrad: (_, x) => noGrad(() => x.sin()),
  backward: ({ parameters }, x, _y, { b }) => {
    x.mul(parameters[b % 3])
      .square()
      .mean()
      .backward({ retainGraph: true });
  },
  gradient: ({ parameters }, _x, _y, { b }) => parameters[b % 3].grad?.mul(0.5),
  forget: ({ parameters }, _x, _y, { b }) => {
    parameters[b % 3].grad = null;
  },
  zeroGrad: ({ optimizers }, _x, _y, { b }) => {
    optimizers[b % 2].zeroGrad();
  },
  step: ({ optimizers }, _x, _y, { b }) => {
    optimizers[b % 2].step();
  },
  assign: ({ parameters }, x, _y, { b }) => {
    const parameter = parameters[b % 3];
    if (`${parameter.shape}` === `${x.shape}`) noGrad(() => parameter.assign(x.detach().tanh()));
  },
  average: ({ state }, x) => {
    if (x.ndim < 2) state.assign(state.mul(0.5).add(x.detach().mul(0.5)));
  },
};

const outerEffects: Readonly<Record<string, Effect>> = {
  ...effects,
  read: (world, x) => {
    world.read(x);
  },
  rate: ({ optimizers }, _x, _y, { b }) => {
    optimizers[b % 2].lr *= 0.5;
  },
};

function take(
  world: World,
  action: Action,
  tensors: Tensor[],
  among: Readonly<Record<string, Effect>>,
): void {
  const known = [...tensors, ...world.parameters, world.state];
  const made = among[action.kind](
    world,
    known[action.a % known.length],
    known[action.b % known.length],
    action,
  );
  if (made) tensors[action.to % tensors.length] = made;
}

/** What is read on the way, and all there is at the end; up to the first value that can no longer be computed. */
function run({ body, section }: Program, { readsAtOnce = false, isCompiled = false }: Way) {
  manualSeed(1);
  const world = new World();
  const settle = (...others: readonly Tensor[]) => {
    if (readsAtOnce) for (const x of [...world.all, ...others]) valuesOf(x);
  };
  const inner = (x: Tensor, y: Tensor): Tensor[] => {
    const tensors = [x.mul(0.5), y.add(x).tanh(), y.mul(0.9)];
    if (!isCompiled) settle(...tensors);
    for (const action of section) {
      take(world, action, tensors, effects);
      if (!isCompiled) settle(...tensors);
    }
    return tensors.map((z) => z.mul(0.9));
  };
  const called = isCompiled ? compile(inner) : inner;
  try {
    for (const action of body) {
      if (action.kind === "call") {
        for (let times = 1 + (action.to % 3); times > 0; times--) {
          const { all } = world;
          const [x, y] = [action.a, action.b].map((i) => all[i % all.length].detach().mul(0.9));
          called(x, y).forEach((made, i) => {
            world.tensors[i] = made.detach();
          });
          settle();
        }
      } else take(world, action, world.tensors, outerEffects);
      settle();
    }
    for (const x of world.all) world.read(x);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    drain();
  }
  return world.log;
}

/** What else waits to be assigned may have been left out, too: that is an error once. */
function drain(): void {
  for (;;) {
    try {
      realize();
      return;
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
    }
  }
}

/** @throws StateError if it was left out, and depends on what has changed since: with that, a program may end. */
function valuesOf(x: Tensor): readonly number[] {
  return Array.from(x.dataSync());
}

const action = (kinds: readonly string[]): fc.Arbitrary<Action> =>
  fc.record({ kind: fc.constantFrom(...kinds), a: fc.nat(99), b: fc.nat(99), to: fc.nat(99) });
/** Drawn more often than others. */
const training = ["zeroGrad", "backward", "backward", "step", "step", "assign", "average"];
const programs: fc.Arbitrary<Program> = fc.record({
  body: fc.array(action([...Object.keys(outerEffects), ...training, "call", "call", "call"]), {
    maxLength: 30,
    size: "max",
  }),
  section: fc
    .tuple(
      // A gradient from before makes a compiled function run anew.
      fc.array(action(["forget", "zeroGrad"]), { maxLength: 3 }),
      fc.array(action([...Object.keys(effects), ...training]), { maxLength: 12, size: "max" }),
    )
    .map((parts) => parts.flat()),
});

test.each([
  ["read late", {}],
  ["compiled", { isCompiled: true }],
  ["compiled, and read at once", { isCompiled: true, readsAtOnce: true }],
] as const)("random programs with parameters, gradients and steps: %s", (_, way) => {
  let complete = 0;
  fc.assert(
    fc.property(programs, (program) => {
      const expected = run(program, { readsAtOnce: true });
      const actual = run(program, way);
      if (actual.length === expected.length) complete += 1;
      actual.forEach((values, i) => {
        expect(values.length).toBe(expected[i]?.length);
        for (const [k, value] of values.entries()) expect(value).toBeCloseTo(expected[i][k], 8);
      });
    }),
    { numRuns: 120, seed: 1 },
  );
  // Few ask for what is no longer there.
  expect(complete).toBeGreaterThan(80);
});
