import { parseArgs } from "node:util";
import type { Pace } from "./rounds.ts";
import { others, workloads } from "./workloads.ts";

/** What was asked for on the command line. */
export interface Options {
  readonly help: boolean;
  readonly only: readonly string[];
  readonly peers: readonly Peer[];
  readonly threads: readonly number[];
  readonly json: string | undefined;
  readonly markdown: string | undefined;
  readonly pace: Pace;
  readonly startUps: number;
}

type Peer = "jax-js" | "tfjs" | "torch";

const known = [...workloads.map(({ name }) => name), ...others];
const peers: readonly Peer[] = ["jax-js", "tfjs", "torch"];

export const usage = `npm run bench -- [options]

Times Gradloom and its peers side by side, in turns, and compares with the project's targets.

  --only <a,b>       workloads: ${known.join(", ")}
  --peers <a,b>      ${peers.join(", ")}, or none; default: all that can be had
  --threads <a,b>    default: 1,2
  --quick            fewer and shorter rounds
  --json <file>      writes all numbers
  --markdown <file>  writes the tables
  --help`;

const full: Pace = { rounds: 7, warmUp: 400, budget: 250, patience: 15_000 };
const quick: Pace = { rounds: 3, warmUp: 150, budget: 80, patience: 4_000 };

/** @throws Error with a message for the user if an option is unknown or has a bad value. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", short: "h", default: false },
      only: { type: "string" },
      peers: { type: "string" },
      threads: { type: "string", default: "1,2" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      markdown: { type: "string" },
    },
  });
  const named = values.peers === "none" ? [] : pick("--peers", values.peers, peers);
  return {
    help: values.help,
    only: pick("--only", values.only, known),
    peers: named,
    threads: values.threads.split(",").map(threadCount),
    json: values.json,
    markdown: values.markdown,
    pace: values.quick ? quick : full,
    startUps: values.quick ? 3 : 7,
  };
}

function pick<T extends string>(
  option: string,
  value: string | undefined,
  from: readonly T[],
): T[] {
  if (value === undefined) return [...from];
  return value.split(",").map((name) => {
    const found = from.find((each) => each === name.trim());
    if (found !== undefined) return found;
    throw new Error(`${option} must name some of ${from.join(", ")}, got "${name}".`);
  });
}

function threadCount(value: string): number {
  const count = Number(value);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`--threads must be whole numbers from 1 on, got "${value}".`);
}
