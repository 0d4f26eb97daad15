// Drives Chromium through what an application of another origin does with the distribution.
//
//   node drive.mjs NODE_MODULES CHROMIUM
//
// Its first line of output is where its pages are; then it reads one line, the distribution's address and
// the tokens; its second line is what the pages saw, by the name of each step.

import { createRequire } from "node:module";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [modules, executablePath] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "here.js"))("playwright-core");

const page = readFileSync(new URL("page.html", import.meta.url));
const signedIn = [];

function listen(host, answer) {
  return new Promise((resolve) => {
    const server = createServer(answer);
    server.listen(0, "127.0.0.1", () => resolve({ server, origin: `http://${host}:${server.address().port}` }));
  });
}

const html = (request, response) => response.setHeader("content-type", "text/html").end(page);
const allowed = await listen("localhost", html);
const stranger = await listen("localhost", html);
const login = await listen("localhost", (request, response) => {
  signedIn.push(request.url);
  response.setHeader("content-type", "text/html").end("<title>Sign in</title><link rel=icon href='data:,'>");
});
console.log(JSON.stringify({ allowed: allowed.origin, stranger: stranger.origin, login: login.origin }));

const line = (await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value;
const { files, alice } = JSON.parse(line);
const bearer = { authorization: alice };

const userData = mkdtempSync(join(tmpdir(), "authorizer-browser-"));
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const browser = await chromium.launchPersistentContext(userData, { executablePath, headless: true, args: flags });
const seen = {};
const pageErrors = [];

async function open(origin) {
  const opened = await browser.newPage();
  opened.on("pageerror", (error) => pageErrors.push(String(error)));
  await opened.goto(origin);
  return async (name, what) => {
    const { path, ...rest } = what;
    seen[name] = await opened.evaluate((what) => window.send(what), { url: files + path, ...rest });
    return seen[name];
  };
}

try {
  const app = await open(allowed.origin);
  const text = { ...bearer, "content-type": "text/plain" };
  const hello = "/users/alice/hello.txt";
  await app("upload", { method: "PUT", path: hello, headers: text, body: "hello" });
  await app("download", { method: "GET", path: hello, headers: bearer });
  await app("list", { method: "GET", path: "/?list-type=2&prefix=users/alice/", headers: bearer });
  await app("no token", { method: "GET", path: hello });
  await app("another user", { method: "GET", path: "/users/bob/x", headers: bearer });
  await app("too large", { method: "PUT", path: "/small/alice/a", headers: text, bytes: 1001 });
  await app("wrong type", { method: "PUT", path: "/small/alice/a", headers: { ...bearer, "content-type": "text/html" }, body: "x" });
  await app("refused header", { method: "PUT", path: hello, headers: { ...text, "x-amz-acl": "public-read" }, body: "x" });
  await app("patch", { method: "PATCH", path: hello, headers: text, body: "x" });
  await app("with cookies", { method: "GET", path: "/public/a", credentials: "include" });

  const large = "/users/alice/large.bin";
  const created = await app("create multipart", { method: "POST", path: `${large}?uploads`, headers: bearer });
  const upload = /<UploadId>([^<]+)</.exec(created.text ?? "")?.[1];
  const parts = [];
  for (const number of [1, 2]) {
    const part = await app(`part ${number}`, {
      method: "PUT", path: `${large}?partNumber=${number}&uploadId=${upload}`, headers: bearer,
      bytes: number === 1 ? 5 * 1024 * 1024 : 3,
    });
    parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${part.headers?.etag}</ETag></Part>`);
  }
  await app("complete multipart", {
    method: "POST", path: `${large}?uploadId=${upload}`, headers: { ...bearer, "x-amz-mp-object-size": "5242883" },
    body: `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`,
  });
  await app("size of multipart", { method: "HEAD", path: large, headers: bearer });
  const end = { ...bearer, range: "bytes=5242880-" };
  await app("end of multipart", { method: "GET", path: large, headers: end });

  const other = await open(stranger.origin);
  await other("stranger reads", { method: "GET", path: "/public/a" });
  await other("stranger reads a refusal", { method: "GET", path: hello });
  await other("stranger uploads", { method: "PUT", path: "/users/alice/stolen.txt", headers: text, body: "x" });

  await app("delete", { method: "DELETE", path: hello, headers: bearer });
  await app("after delete", { method: "GET", path: hello, headers: bearer });

  const person = await browser.newPage();
  await person.goto(`${files}${hello}?versionId=null`);
  seen.person = { url: person.url(), signedIn };
  const framed = await browser.newPage();
  await framed.goto(allowed.origin);
  await framed.evaluate((url) => new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.onload = resolve;
    frame.src = url;
    document.body.append(frame);
  }), files + hello);
  seen.frame = { signedIn: [...signedIn] };
  seen.pageErrors = pageErrors;
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
  rmSync(userData, { recursive: true, force: true });
  for (const { server } of [allowed, stranger, login]) {
    server.closeAllConnections();
    server.close();
  }
}
process.exit(0);
