// The usual way of sending a bot's messages in Node.js, for a comparison: the steps of the design document with what Node.js brings along.
//
//   node sketch.js send URL MESSAGES AT_ONCE [CRM_URL]
//   node sketch.js check
//
// Prints seconds and processor seconds, or nanoseconds for each check, as JSON.

import { createHash, randomUUID } from "node:crypto";

const [mode, url, messages, atOnce, crm] = process.argv.slice(2);
const ORIGINS = new Set(["shop.example"]);
const TEXT = "Your order has been shipped and arrives on Tuesday. Reply with a question if any.";

function check(payload, origin) {
  if (!ORIGINS.has(new URL(origin).hostname)) throw new Error("origin");
  const text = payload.text.replace(/<script[\s\S]*?>[\s\S]*?<\/script>|<\/?[^>]+>/gi, "");
  if (text.length !== payload.text.length) throw new Error("markup");
  if (payload.text.length > 4096) throw new Error("length");
}

async function send(conversation) {
  const payload = { to: { id: "customer-participant-id-123" }, from: { id: "bot-participant-id-456" }, type: "text", text: TEXT };
  check(payload, "https://shop.example");
  const body = JSON.stringify(payload);
  const began = performance.now();
  const answer = await fetch(`${url}/api/v2/conversations/${conversation}/messages`, {
    method: "POST",
    headers: {
      authorization: "Bearer a-token-of-the-usual-length-0123456789-0123456789-0123456789-0123456789-0123456789",
      "content-type": "application/json",
      accept: "application/json",
      "x-genesys-request-id": randomUUID(),
    },
    body,
  });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  await answer.json();
  const sha256 = createHash("sha256").update(body).digest("hex");
  if (crm) {
    const notice = { conversationId: conversation, messageId: sha256, deliveryLatencyMs: Math.round(performance.now() - began), status: "delivered", timestamp: new Date().toISOString() };
    const told = await fetch(crm, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(notice) });
    await told.text();
  }
}

async function run(count) {
  let left = count;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      await send(`conversation-${left % 64}`);
    }
  };
  await Promise.all(Array.from({ length: Number(atOnce) }, caller));
}

function each(text, count, refused = false) {
  const payload = { text };
  const once = () => {
    try {
      check(payload, "https://shop.example");
    } catch (error) {
      if (!refused) throw error;
    }
  };
  for (let i = 0; i < count / 10; i += 1) once();
  const began = process.hrtime.bigint();
  for (let i = 0; i < count; i += 1) once();
  return Number(process.hrtime.bigint() - began) / count;
}

if (mode === "check") {
  console.log(JSON.stringify({
    short: each("x".repeat(80), 1e6),
    long: each("plain text ".repeat(372) + "abcd", 1e5),
    hostile: each("<script>".repeat(512), 20, true),
  }));
} else {
  await run(Number(messages) / 4);
  const before = process.cpuUsage();
  const began = performance.now();
  await run(Number(messages));
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(before);
  console.log(JSON.stringify({ seconds, cpu: (used.user + used.system) / 1e6 }));
}
