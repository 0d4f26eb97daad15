// Hands the process over to `bootstrap`, the native function that lies beside this file.
//
// Lambda@Edge runs the managed Node.js and Python runtimes only, and neither a custom runtime nor a
// layer (AWS: "Restrictions on Lambda@Edge", CloudFront Developer Guide).
// The runtime imports this file before it asks the Runtime API for its first event. By then
// `bootstrap` has taken the process's place and asks for it itself.
import { accessSync, constants, statSync, writeSync } from "node:fs";
import { join } from "node:path";

const path = join(import.meta.dirname, "bootstrap");

// Everything else goes along: `bootstrap` reads the reserved AWS_LAMBDA_* variables. This one names
// a descriptor, the runtime's framed log, that Node.js closes when it executes another program.
const { _LAMBDA_TELEMETRY_LOG_FD: _closed, ...env } = process.env;

// One line on descriptor 1 itself, as `bootstrap` logs: `console` is the runtime's by now, and what
// it holds back would be lost. The runtime ends here without an event, so CloudFront answers 5xx.
function failToStart(message) {
  const line = { level: "error", event: "start_failed", reason: "bootstrap_not_executable", message };
  try {
    writeSync(1, `${JSON.stringify(line)}\n`);
  } finally {
    process.exit(1);
  }
}

// An execve() that fails aborts Node.js before a line could be logged, so look first.
try {
  accessSync(path, constants.X_OK);
  if (!statSync(path).isFile()) throw new Error(`not a file: '${path}'`);
} catch (error) {
  failToStart(error.message);
}

if (process.execve) {
  process.execve(path, [path], env);
}

// Before Node.js 22.15 there is no execve(): this process waits, with no event, for as long as
// `bootstrap` lives, and ends as it ended. Imported here, because it takes a millisecond of the start.
const { spawnSync } = await import("node:child_process");
const { error, signal, status } = spawnSync(path, [], { env, stdio: "inherit" });
if (error) failToStart(error.message);
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 1);

// Never reached unless the hand-over did not happen. It must not answer: a handler that returns
// anything could let the request through.
export async function handler() {
  throw new Error("bootstrap did not take over");
}
