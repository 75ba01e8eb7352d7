// Sentences of a small grammar in Chinese and in English, and which of them are kept for the test.
import { Generator, randint } from "@gradloom/tensor";
import {
  type Action,
  actions,
  agents,
  colours,
  numbers,
  pastTimes,
  places,
  qualities,
  type Subject,
  things,
  times,
  type Word,
  wishes,
} from "./translation-words.ts";

/** A sentence in both languages, words separated by spaces. */
export interface Sentence {
  readonly zh: string;
  readonly en: string;
  /** The two words, who and what, whose meeting decides whether it is held out. */
  readonly pair: string;
}

/** Sentences to learn from, and those with pairs of words that never meet there. */
export interface Corpus {
  readonly training: readonly Sentence[];
  readonly heldOut: readonly Sentence[];
}

/** The sentence that is always held out: 我 and 火锅 never meet in training. */
export const hotPot: Sentence = {
  zh: "我 爱 吃 火锅",
  en: "I like to eat hot pot",
  pair: "我 火锅",
};

type Choose = <T>(list: readonly T[]) => T;

/** Ways to say things. Chinese puts time and place first, English last; counters have no translation; and so on. */
const templates: readonly ((choose: Choose) => Sentence)[] = [
  // 我 爱 吃 火锅 → I like to eat hot pot
  (choose) => {
    const { who, action, what } = deed(choose);
    const wish = choose(wishes);
    const like = wish.forms[who.isThird ? 1 : 0];
    return sentence(
      `${who.zh} ${wish.zh} ${action.zh} ${what.zh}`,
      `${who.en} ${like} ${action.forms[0]} ${what.en}`,
      who,
      what,
    );
  },
  // 今天 我们 在 学校 学习 数学 → we study mathematics at school today
  (choose) => {
    const { who, action, what } = deed(choose);
    const [time, place] = [choose(times), choose(places)];
    const verb = action.forms[who.isThird ? 1 : 0];
    return sentence(
      `${time.zh} ${who.zh} 在 ${place.zh} ${action.zh} ${what.zh}`,
      `${who.en} ${verb} ${what.en} ${place.en} ${time.en}`,
      who,
      what,
    );
  },
  // 昨天 他 吃 了 面条 → he ate noodles yesterday
  (choose) => {
    const { who, action, what } = deed(choose);
    const time = choose(pastTimes);
    return sentence(
      `${time.zh} ${who.zh} ${action.zh} 了 ${what.zh}`,
      `${who.en} ${action.forms[2]} ${what.en} ${time.en}`,
      who,
      what,
    );
  },
  // 她 不 喝 茶 → she does not drink tea
  (choose) => {
    const { who, action, what } = deed(choose);
    const not = who.isThird ? "does not" : "do not";
    return sentence(
      `${who.zh} 不 ${action.zh} ${what.zh}`,
      `${who.en} ${not} ${action.forms[0]} ${what.en}`,
      who,
      what,
    );
  },
  // 你 想 看 电影 吗 → do you want to watch movies ?
  (choose) => {
    const { who, action, what } = deed(choose);
    const wish = choose(wishes);
    return sentence(
      `${who.zh} ${wish.zh} ${action.zh} ${what.zh} 吗`,
      `${who.isThird ? "does" : "do"} ${who.en} ${wish.forms[0]} ${action.forms[0]} ${what.en} ?`,
      who,
      what,
    );
  },
  // 我 有 三 本 红色 的 书 → I have three red books
  (choose) => {
    const [who, count, colour, thing] = [
      choose(agents),
      choose(numbers),
      choose(colours),
      choose(things),
    ];
    return sentence(
      `${who.zh} 有 ${count.zh} ${thing.counter} ${colour.zh} 的 ${thing.zh}`,
      `${who.en} ${who.isThird ? "has" : "have"} ${count.en} ${colour.en} ${thing.forms[count.en === "one" ? 0 : 1]}`,
      who,
      thing,
    );
  },
  // 桌子 上 的 杯子 很 旧 → the cup on the table is very old
  (choose) => {
    const [where, thing, quality] = [choose(things), choose(things), choose(qualities)];
    return sentence(
      `${where.zh} 上 的 ${thing.zh} 很 ${quality.zh}`,
      `the ${thing.forms[0]} on the ${where.forms[0]} is very ${quality.forms[0]}`,
      where,
      thing,
    );
  },
  // 猫 比 狗 小 → the cat is smaller than the dog
  (choose) => {
    const [first, second, quality] = [choose(things), choose(things), choose(qualities)];
    return sentence(
      `${first.zh} 比 ${second.zh} ${quality.zh}`,
      `the ${first.forms[0]} is ${quality.forms[1]} than the ${second.forms[0]}`,
      first,
      second,
    );
  },
];

function deed(choose: Choose): { who: Subject; action: Action; what: Word } {
  const [who, action] = [choose(agents), choose(actions)];
  return { who, action, what: choose(action.objects) };
}

function sentence(zh: string, en: string, who: { zh: string }, what: { zh: string }): Sentence {
  return { zh, en, pair: `${who.zh} ${what.zh}` };
}

/**
 * Different sentences, drawn at random. A tenth of all pairs of words is held out: no sentence for training contains such a
 * pair, every one for the test does, and the first of those is {@link hotPot}.
 */
export async function makeCorpus(
  seed: number,
  count: number,
  heldOutCount: number,
): Promise<Corpus> {
  const generator = new Generator(seed);
  const draws = await randint(0, 2 ** 30, [16 * (count + heldOutCount) * 12], { generator }).data();
  let used = 0;
  const choose: Choose = (list) => {
    used += 1;
    return list[Number(draws[used % draws.length]) % list.length];
  };
  const seen = new Set([hotPot.zh]);
  const training: Sentence[] = [];
  const heldOut: Sentence[] = [hotPot];
  while (used < draws.length && (training.length < count || heldOut.length < heldOutCount)) {
    const made = choose(templates)(choose);
    if (seen.has(made.zh)) continue;
    const [list, most] = isHeldOut(made.pair) ? [heldOut, heldOutCount] : [training, count];
    if (list.length === most) continue;
    seen.add(made.zh);
    list.push(made);
  }
  return { training, heldOut };
}

/** Decided by a hash of the pair, so that it is the same for each seed. */
function isHeldOut(pair: string): boolean {
  if (pair === hotPot.pair) return true;
  let hash = 7;
  for (const character of pair) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return hash % 10 === 0;
}
