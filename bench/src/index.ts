// `npm run bench`: Gradloom and its peers on the same workloads, in one run.
import { writeFileSync } from "node:fs";
import { type Contestant, gradloom, javaScriptPeers, Session, torch } from "./contestant.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { memory, type Section, sizes, startUp } from "./others.ts";
import { peaks } from "./peaks.ts";
import { installPeers } from "./peers.ts";
import { machine, section, show } from "./report.ts";
import { alternate, type Measured } from "./rounds.ts";
import { workloads } from "./workloads.ts";

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(usage);
    return;
  }
  const contestants = choose(options);
  const sections: Section[] = [];
  const add = (made: Section) => {
    sections.push(made);
    console.log(`\n${show(made)}`);
  };
  console.log(machine());
  await timed(options, contestants, add);
  await rest(options, contestants, add);
  summarise(sections);
  if (options.markdown !== undefined) {
    writeFileSync(options.markdown, `${[machine(), ...sections.map(show)].join("\n\n")}\n`);
  }
  if (options.json !== undefined) {
    const all = { machine: machine(), date: new Date().toISOString(), sections };
    writeFileSync(options.json, `${JSON.stringify(all, null, 2)}\n`);
  }
}

function choose({ peers, threads }: Options): Contestant[] {
  const contestants = gradloom(threads);
  const scripts = javaScriptPeers().filter(({ engine }) => peers.some((peer) => peer === engine));
  if (scripts.length > 0) {
    const problem = installPeers();
    if (problem === undefined) contestants.push(...scripts);
    else
      console.error(
        `Going on without the JavaScript peers, which could not be installed: ${problem}`,
      );
  }
  if (peers.includes("torch")) {
    const found = torch(threads);
    contestants.push(...found);
    if (found.length === 0) {
      console.error(
        "Going on without PyTorch: python3 has no torch. On Debian: apt-get install python3-torch",
      );
    }
  }
  return contestants;
}

/** The workloads that are times, each contestant in a process that lives through all of them. */
async function timed(
  { only, pace }: Options,
  contestants: readonly Contestant[],
  add: (section: Section) => void,
): Promise<void> {
  const chosen = workloads.filter(({ name }) => only.includes(name));
  if (chosen.length === 0) return;
  const sessions = new Map(contestants.map((contestant) => [contestant, new Session(contestant)]));
  try {
    for (const workload of chosen) {
      const results = new Map<string, Measured[]>();
      for (const part of Object.keys(workload.parts)) {
        process.stderr.write(`${part} ...\r`);
        results.set(part, await alternate(part, sessions, pace));
        for (const { contestant, problem } of results.get(part)!) {
          if (problem !== undefined) console.error(`${part}: ${contestant.name}: ${problem}`);
        }
      }
      add(section(workload, results));
    }
  } finally {
    for (const session of sessions.values()) session.end();
  }
}

async function rest(
  { only, startUps }: Options,
  contestants: readonly Contestant[],
  add: (section: Section) => void,
): Promise<void> {
  if (only.includes("memory")) add(memory());
  if (only.includes("peaks")) add(await peaks(contestants));
  if (only.includes("start-up")) {
    // One line an engine: the number of threads does not matter here.
    const first = contestants.filter(
      ({ name, only }, i) =>
        only === undefined && contestants.findIndex((other) => other.name === name) === i,
    );
    add(startUp(first, startUps));
  }
  if (only.includes("size")) add(await sizes(contestants.some((c) => c.engine === "tfjs")));
}

function summarise(sections: readonly Section[]): void {
  const all = sections.flatMap(({ verdicts }) => verdicts);
  if (all.length === 0) return;
  console.log(`\nTargets: ${all.filter(({ met }) => met).length} of ${all.length} met`);
  for (const { title, verdicts } of sections) {
    for (const { goal, measured, met } of verdicts) {
      if (!met) console.log(`missed: ${title}: ${goal}; measured ${measured}`);
    }
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
