// An LSTM in TensorFlow.js: its layer, with the sigmoid that others use.
import * as tf from "@tensorflow/tfjs";

function sequence() {
  const layer = tf.layers.lstm({
    units: 256,
    returnSequences: true,
    recurrentActivation: "sigmoid",
    recurrentInitializer: "glorotUniform",
  });
  return { layer, x: tf.randomNormal([32, 64, 128]) };
}

function forward() {
  const { layer, x } = sequence();
  return { run: () => tf.tidy(() => layer.apply(x)).dispose() };
}

function gradients() {
  const { layer, x } = sequence();
  layer.apply(x).dispose(); // makes the weights
  const dy = tf.randomNormal([32, 64, 256]);
  return {
    run: () => {
      const { value, grads } = tf.variableGrads(() => layer.apply(x).mul(dy).sum());
      tf.dispose([value, grads]);
    },
  };
}

export const lstm = {
  "lstm-forward": forward,
  "lstm-gradients": gradients,
};
