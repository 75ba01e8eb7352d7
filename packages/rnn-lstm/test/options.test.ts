import { ArgumentError, zeros } from "@gradloom/tensor";
import { expect, test } from "vitest";
import { GRU, LSTM, RNN } from "../src/index.ts";

test.each([RNN, LSTM, GRU])("%o lists the options that there are", (Network) => {
  const make = (options?: object) => () => new Network(options as never);
  expect(make()).toThrow(ArgumentError);
  expect(make({ inputSize: 2, hiddenSize: 3, hidden: 3 })).toThrow(
    /^\w+: options must be among inputSize, hiddenSize, .*got hidden\.$/,
  );
  const isRnn = Network === RNN;
  const other = make({ inputSize: 2, hiddenSize: 3, nonlinearity: "relu" });
  if (isRnn) expect(other).not.toThrow();
  else expect(other).toThrow("got nonlinearity");
});

test.each([RNN, LSTM, GRU])("%o reads lengths, and nothing else, when it is called", (Network) => {
  const network = new Network({ inputSize: 2, hiddenSize: 3 });
  const call = (options: unknown) => () =>
    network.forward(zeros([2, 4, 2]), undefined, options as never);
  const { name } = Network;
  expect(call({ length: [1, 2] })).toThrow(`${name}: options must be among lengths, got length.`);
  expect(call({ lengths: 3 })).toThrow(`${name}: lengths must be [2], one for each sequence`);
  expect(call({ lengths: null })).not.toThrow();
});
