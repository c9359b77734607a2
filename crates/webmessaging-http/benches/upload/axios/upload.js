// The usual way of sending a file to a presigned URL in Node.js, for a comparison.
//
//   node upload.js stream|buffer URL FILE COUNT AT_ONCE
//
// Prints how many seconds it took, without the start of Node.js.

import { createReadStream, readFileSync, statSync } from "node:fs";
import axios from "axios";

const [mode, url, file, count, atOnce] = process.argv.slice(2);
const { size } = statSync(file);
const limits = { maxBodyLength: Infinity, maxContentLength: Infinity };

async function one() {
  const body = mode === "stream" ? createReadStream(file) : readFileSync(file);
  const headers = { "Content-Type": "application/octet-stream", "Content-Length": size };
  const answer = await axios.put(url, body, { headers, ...limits });
  if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
}

let left = Number(count);
async function worker() {
  while (left-- > 0) await one();
}

const began = process.hrtime.bigint();
await Promise.all(Array.from({ length: Number(atOnce) }, worker));
console.log(Number(process.hrtime.bigint() - began) / 1e9);
