// A receiver as an integrator writes one in JavaScript, with nothing of ours in it.
// Reads lines "<secret> <body in base64>", answers each with two words:
// does the raw body verify, and does what JSON.parse and JSON.stringify make of it.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createInterface } from "node:readline";

const hmac = (secret, bytes) => createHmac("sha256", secret).update(bytes).digest("hex");
const same = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

function rawVerifies(secret, body) {
  const want = body.subarray(body.length - 66, body.length - 2).toString();
  const core = Buffer.concat([body.subarray(0, body.length - 80), Buffer.from("}")]);
  return same(hmac(secret, core), want);
}

function parsedVerifies(secret, body) {
  const { signature, ...core } = JSON.parse(body.toString("utf8"));
  return same(hmac(secret, Buffer.from(JSON.stringify(core), "utf8")), signature);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [secret, encoded] = line.split(" ");
  const body = Buffer.from(encoded, "base64");
  process.stdout.write(`${rawVerifies(secret, body)} ${parsedVerifies(secret, body)}\n`);
}
