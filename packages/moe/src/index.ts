export { Expert, type ExpertOptions } from "./expert.ts";
export { Experts, type SortedRows } from "./experts.ts";
export { MoE, type MoEOptions, type Routing } from "./moe.ts";
export { balanceLoss, zLoss } from "./router-losses.ts";
export { auxLossOf, type LoadStatistics, loadStatistics } from "./statistics.ts";
export { type Choice, TopKRouter, type TopKRouterOptions } from "./top-k-router.ts";
