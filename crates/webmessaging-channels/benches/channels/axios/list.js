// The usual way of finding channels in Node.js, for a comparison: one page after the other.
//
//   node list.js URL
//
// Prints how many seconds it took, without the start of Node.js.

import axios from "axios";

const [url] = process.argv.slice(2);
const headers = { Authorization: "Bearer token", "Cache-Control": "no-cache" };
const pageSize = 100;

const began = process.hrtime.bigint();
let all = [];
for (let pageNumber = 1; ; pageNumber += 1) {
  const { data } = await axios.get(url, { params: { pageSize, pageNumber }, headers });
  if (!data.entities || data.entities.length === 0) break;
  all = all.concat(data.entities);
  if (data.entities.length < pageSize) break;
}
const found = all.filter((channel) => channel.channelType === "webchat" || channel.configuration?.webchat);
if (found.length !== 10_000) throw new Error(`found ${found.length}`);
console.log(Number(process.hrtime.bigint() - began) / 1e9);
