// The usual way of taking a webhook in Node.js, for a comparison.
//
//   node server.js memory           reads the event, remembers its id in a set, answers
//   node server.js durable FILE     checks the signature, writes the delivery to SQLite with synchronous=FULL, answers
//
// Prints its port. The secret is WEBHOOK_SECRET.

import { createHmac, timingSafeEqual } from "node:crypto";
import Database from "better-sqlite3";
import express from "express";

const [mode, file] = process.argv.slice(2);
const app = express();

if (mode === "memory") {
  const seen = new Set();
  app.post("/webhooks/genesys", express.json({ type: () => true, limit: "10mb" }), (request, response) => {
    const status = seen.has(request.body.eventId) ? "duplicate" : "accepted";
    seen.add(request.body.eventId);
    response.status(200).json({ status });
  });
} else {
  const database = new Database(file);
  database.pragma("journal_mode = wal");
  database.pragma("synchronous = full");
  database.exec("create table inbox (id integer primary key, key text unique, body blob)");
  const insert = database.prepare("insert or ignore into inbox (key, body) values (?, ?)");
  const secret = process.env.WEBHOOK_SECRET;

  app.post("/webhooks/genesys", express.raw({ type: () => true, limit: "10mb" }), (request, response) => {
    const due = createHmac("sha256", secret).update(request.body).digest();
    const given = (request.get("x-genesys-signature") ?? "").replace(/^sha256=/, "");
    // In hex, or in base64.
    const found = Buffer.from(given, given.length === 64 ? "hex" : "base64");
    if (found.length !== due.length || !timingSafeEqual(found, due)) {
      response.status(401).end();
      return;
    }
    const { eventId } = JSON.parse(request.body);
    const { changes } = insert.run(eventId, request.body);
    response.status(200).json({ status: changes === 1 ? "accepted" : "duplicate" });
  });
}

const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
