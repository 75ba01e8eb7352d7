import { LSTM, LSTMCell } from "@gradloom/rnn-lstm";
import { zeros } from "@gradloom/tensor";

const lstm = new LSTM({ inputSize: 3, hiddenSize: 4 });
const [output, [h, c]] = lstm.forward(zeros([2, 5, 3]));
const [next] = new LSTMCell(3, 4).forward(zeros([2, 3]), [h.select(0, 0), c.select(0, 0)]);

export const result: unknown = [output.shape, h.shape, next.shape, Object.keys(lstm.stateDict())];
export const expected: unknown = [
  [2, 5, 4],
  [1, 2, 4],
  [2, 4],
  ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"],
];
