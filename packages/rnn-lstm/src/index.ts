export { type CellOptions, GRUCell, LSTMCell, RNNCell, type RNNCellOptions } from "./cell.ts";
export type { Nonlinearity } from "./cell-formula.ts";
export { GRU } from "./gru.ts";
export { LSTM } from "./lstm.ts";
export { Recurrent, type RecurrentOptions, type SequenceOptions } from "./recurrent.ts";
export { type GenerateOptions, RecurrentLM, type RecurrentLMOptions } from "./recurrent-lm.ts";
export { RNN, type RNNOptions } from "./rnn.ts";
export type { State } from "./state.ts";
