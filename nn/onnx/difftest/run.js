// Runs the graphs that a folder lists and writes what they compute.
//
//   node run.js DIR
//
// DIR/list.json is an array of {name, dims}: DIR/NAME.onnx is a graph with one
// input x of these dimensions, whose floats are in DIR/NAME.in. Its output goes
// to DIR/NAME.out as floats, or the error to DIR/NAME.err.
import fs from 'node:fs';
import path from 'node:path';
import ort from 'onnxruntime-node';

const dir = process.argv[2];
const options = {
  graphOptimizationLevel: 'disabled', intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4,
};
for (const { name, dims, bytes } of JSON.parse(fs.readFileSync(path.join(dir, 'list.json')))) {
  const file = (end) => path.join(dir, name + end);
  try {
    const session = await ort.InferenceSession.create(file('.onnx'), options);
    const raw = fs.readFileSync(file('.in'));
    const numbers = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
    const x = bytes ? new ort.Tensor('uint8', Uint8Array.from(numbers), dims) : new ort.Tensor('float32', numbers, dims);
    const y = (await session.run({ x }))[session.outputNames[0]];
    fs.writeFileSync(file('.out'), Buffer.from(Float32Array.from(y.data, Number).buffer));
    await session.release();
  } catch (e) {
    fs.writeFileSync(file('.err'), String(e.message ?? e));
  }
}
