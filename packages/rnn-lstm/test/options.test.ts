import { ArgumentError } from "@gradloom/tensor";
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
