// The words of the small language that train-translation learns, in Chinese and in English.

/** Reads a table: `火锅 hot pot, 米饭 rice`. */
function table(text: string): readonly Word[] {
  return text.split(",").map((entry) => {
    const [zh, ...en] = entry.trim().split(" ");
    return { zh, en: en.join(" ") };
  });
}

/** A word in both languages; the English may be several words. */
export interface Word {
  readonly zh: string;
  readonly en: string;
}

/** Something that one does, and what one does it with. */
export interface Action {
  readonly zh: string;
  /** `eat`, `eats`, `ate`. */
  readonly forms: readonly [base: string, third: string, past: string];
  readonly objects: readonly Word[];
}

const foods =
  table(`火锅 hot pot, 米饭 rice, 面条 noodles, 饺子 dumplings, 包子 steamed buns, 豆腐 tofu, 鱼 fish, 牛肉 beef,
  鸡肉 chicken, 羊肉 lamb, 鸡蛋 eggs, 蔬菜 vegetables, 苹果 apples, 香蕉 bananas, 西瓜 watermelon, 葡萄 grapes, 面包 bread,
  蛋糕 cake, 饼干 cookies, 巧克力 chocolate, 冰淇淋 ice cream, 土豆 potatoes, 西红柿 tomatoes, 蘑菇 mushrooms, 烤鸭 roast duck,
  春卷 spring rolls`);
const drinks = table(
  `茶 tea, 咖啡 coffee, 水 water, 牛奶 milk, 果汁 juice, 啤酒 beer, 豆浆 soy milk, 红酒 red wine`,
);
const wares = table(
  `衣服 clothes, 鞋子 shoes, 票 tickets, 花 flowers, 礼物 presents, 帽子 hats, 手机 phones, 雨伞 umbrellas`,
);
const texts = table(
  `书 books, 小说 novels, 报纸 newspapers, 杂志 magazines, 信 letters, 故事 stories`,
);
const subjects = table(
  `中文 Chinese, 英语 English, 数学 mathematics, 历史 history, 化学 chemistry, 物理 physics, 法语 French, 地理 geography`,
);

/** What one does. Several Chinese words may be one in English (打 and 踢 are both play), and the other way round. */
export const actions: readonly Action[] = [
  { zh: "吃", forms: ["eat", "eats", "ate"], objects: foods },
  { zh: "喝", forms: ["drink", "drinks", "drank"], objects: drinks },
  { zh: "买", forms: ["buy", "buys", "bought"], objects: [...wares, ...foods.slice(0, 12)] },
  { zh: "读", forms: ["read", "reads", "read"], objects: texts },
  { zh: "学习", forms: ["study", "studies", "studied"], objects: subjects },
  {
    zh: "看",
    forms: ["watch", "watches", "watched"],
    objects: table(`电影 movies, 电视 television, 新闻 the news, 动画片 cartoons`),
  },
  {
    zh: "打",
    forms: ["play", "plays", "played"],
    objects: table(`篮球 basketball, 网球 tennis, 乒乓球 table tennis, 排球 volleyball`),
  },
  {
    zh: "踢",
    forms: ["play", "plays", "played"],
    objects: table(`足球 football`),
  },
  {
    zh: "弹",
    forms: ["play", "plays", "played"],
    objects: table(`钢琴 the piano, 吉他 the guitar`),
  },
  {
    zh: "听",
    forms: ["listen to", "listens to", "listened to"],
    objects: table(`音乐 music, 广播 the radio, 京剧 opera`),
  },
  {
    zh: "写",
    forms: ["write", "writes", "wrote"],
    objects: table(`信 letters, 日记 a diary, 诗 poems, 小说 novels`),
  },
  {
    zh: "洗",
    forms: ["wash", "washes", "washed"],
    objects: table(`碗 the dishes, 衣服 clothes, 车 the car`),
  },
];

/** Who does it, and how English goes on: with `eat` or with `eats`. */
export interface Subject extends Word {
  readonly isThird: boolean;
}

const people =
  table(`老师 teacher, 学生 student, 医生 doctor, 司机 driver, 厨师 cook, 孩子 child, 护士 nurse, 农民 farmer,
  警察 policeman, 经理 manager`);
const family = table(
  `妈妈 mother, 爸爸 father, 哥哥 brother, 姐姐 sister, 爷爷 grandfather, 奶奶 grandmother`,
);

const pronouns: readonly Subject[] = [
  ...table(`我 I, 你 you, 我们 we, 他们 they`).map((word) => ({ ...word, isThird: false })),
  ...table(`他 he, 她 she`).map((word) => ({ ...word, isThird: true })),
];

/** All who act. 我 妈妈 is “my mother”, without the 的 that other possessions have. */
export const agents: readonly Subject[] = [
  ...pronouns,
  ...pronouns,
  ...people.map(({ zh, en }) => ({ zh, en: `the ${en}`, isThird: true })),
  ...table(`小明 Xiaoming, 李华 Li Hua, 王伟 Wang Wei`).map((word) => ({ ...word, isThird: true })),
  ...table(`我 my, 你 your, 他 his`).flatMap((owner) =>
    family.map(({ zh, en }) => ({
      zh: `${owner.zh} ${zh}`,
      en: `${owner.en} ${en}`,
      isThird: true,
    })),
  ),
];

/** What stands between who and what: 爱 is “like to”. `[base, third]` */
export const wishes: readonly { zh: string; forms: readonly [string, string] }[] = [
  { zh: "爱", forms: ["like to", "likes to"] },
  { zh: "喜欢", forms: ["love to", "loves to"] },
  { zh: "想", forms: ["want to", "wants to"] },
  { zh: "需要", forms: ["need to", "needs to"] },
];

export const places: readonly Word[] =
  table(`学校 at school, 家 at home, 公园 in the park, 图书馆 in the library,
  饭馆 in the restaurant, 办公室 in the office, 商店 in the shop, 北京 in Beijing, 上海 in Shanghai, 医院 in the hospital`);

export const times: readonly Word[] =
  table(`今天 today, 每天 every day, 早上 in the morning, 晚上 in the evening,
  周末 at the weekend, 夏天 in summer, 冬天 in winter`);

export const pastTimes: readonly Word[] = table(
  `昨天 yesterday, 上周 last week, 去年 last year, 前天 the day before yesterday`,
);

/** Things with the word that counts them, and their plural. */
export const things: readonly {
  readonly zh: string;
  readonly counter: string;
  readonly forms: readonly [one: string, many: string];
}[] = [
  { zh: "书", counter: "本", forms: ["book", "books"] },
  { zh: "词典", counter: "本", forms: ["dictionary", "dictionaries"] },
  { zh: "猫", counter: "只", forms: ["cat", "cats"] },
  { zh: "狗", counter: "只", forms: ["dog", "dogs"] },
  { zh: "鸟", counter: "只", forms: ["bird", "birds"] },
  { zh: "桌子", counter: "张", forms: ["table", "tables"] },
  { zh: "床", counter: "张", forms: ["bed", "beds"] },
  { zh: "椅子", counter: "把", forms: ["chair", "chairs"] },
  { zh: "雨伞", counter: "把", forms: ["umbrella", "umbrellas"] },
  { zh: "车", counter: "辆", forms: ["car", "cars"] },
  { zh: "自行车", counter: "辆", forms: ["bicycle", "bicycles"] },
  { zh: "衬衫", counter: "件", forms: ["shirt", "shirts"] },
  { zh: "杯子", counter: "个", forms: ["cup", "cups"] },
  { zh: "盒子", counter: "个", forms: ["box", "boxes"] },
  { zh: "手机", counter: "部", forms: ["phone", "phones"] },
];

export const numbers: readonly Word[] = table(
  `一 one, 两 two, 三 three, 四 four, 五 five, 六 six, 七 seven, 八 eight, 九 nine, 十 ten`,
);

/** What things are like: `big`, `bigger`. */
export const qualities: readonly {
  readonly zh: string;
  readonly forms: readonly [string, string];
}[] = [
  { zh: "大", forms: ["big", "bigger"] },
  { zh: "小", forms: ["small", "smaller"] },
  { zh: "新", forms: ["new", "newer"] },
  { zh: "旧", forms: ["old", "older"] },
  { zh: "贵", forms: ["expensive", "more expensive"] },
  { zh: "便宜", forms: ["cheap", "cheaper"] },
  { zh: "漂亮", forms: ["beautiful", "more beautiful"] },
  { zh: "重", forms: ["heavy", "heavier"] },
  { zh: "轻", forms: ["light", "lighter"] },
];

export const colours: readonly Word[] = table(
  `红色 red, 蓝色 blue, 绿色 green, 黑色 black, 白色 white, 黄色 yellow`,
);
