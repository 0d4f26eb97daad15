// Replaces this process with `bootstrap`, the native function beside this file.
//
// Lambda@Edge supports only the managed Node.js and Python runtimes, not a custom runtime or a layer
// (AWS: "Restrictions on Lambda@Edge", CloudFront Developer Guide).
// The runtime imports this file before it requests its first event from the Runtime API. By then
// `bootstrap` has replaced the process and requests the event itself.
import { accessSync, constants, statSync, writeSync } from "node:fs";
import { join } from "node:path";

const path = join(import.meta.dirname, "bootstrap");

// All other variables stay: `bootstrap` reads the reserved AWS_LAMBDA_* variables. This one names
// a descriptor, the runtime's framed log, that Node.js closes when it executes another program.
const { _LAMBDA_TELEMETRY_LOG_FD: _closed, ...env } = process.env;
// For the line of the start: exec keeps the id of the process.
env.AUTHORIZER_HANDED_OVER = `nodejs${process.versions.node.split(".")[0]}.x:${process.pid}`;

// One line, written directly to descriptor 1, as `bootstrap` logs: the runtime has replaced `console`, and its
// buffered output would be lost. The runtime ends here without an event, so CloudFront answers 5xx.
function failToStart(message) {
  const line = { level: "error", event: "start_failed", reason: "bootstrap_not_executable", message };
  try {
    writeSync(1, `${JSON.stringify(line)}\n`);
  } finally {
    process.exit(1);
  }
}

// Before Node.js 26, a failed execve() aborts the process before a line can be logged, so check first.
try {
  accessSync(path, constants.X_OK);
  if (!statSync(path).isFile()) throw new Error(`not a file: '${path}'`);
} catch (error) {
  failToStart(error.message);
}

if (process.execve) {
  try {
    process.execve(path, [path], env);
  } catch (error) {
    failToStart(error.message);
  }
}

// Node.js before 22.15 does not have execve(): this process waits, without an event, until `bootstrap` ends,
// and ends in the same way. Imported here, because the import takes a millisecond of the start.
const { spawnSync } = await import("node:child_process");
const { error, signal, status } = spawnSync(path, [], { env, stdio: "inherit" });
if (error) failToStart(error.message);
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 1);

// Reached only if the process was not replaced. It must not answer: a handler that returns anything
// could allow the request.
export async function handler() {
  throw new Error("bootstrap did not replace this process");
}
