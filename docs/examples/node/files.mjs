// Uploads, downloads and deletes an object through the distribution:
//
//   FILES_URL=https://files.example.com FILES_TOKEN=... node files.mjs upload photo.jpg users/alice/photo.jpg image/jpeg
//   ... node files.mjs download users/alice/photo.jpg copy.jpg
//   ... node files.mjs delete users/alice/photo.jpg

import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import axios from "axios";

const { FILES_URL, FILES_TOKEN } = process.env;

const files = axios.create({
    baseURL: FILES_URL,
    headers: { Authorization: `Bearer ${FILES_TOKEN}` },
    responseType: "text",
    // By default, axios follows redirects, sends the token along, and keeps uploads in memory for that.
    maxRedirects: 0,
    maxBodyLength: Infinity,
    maxContentLength: Infinity,
    // `expect` checks every answer.
    validateStatus: null,
});

/** The path of an object: each segment of its key percent-encoded, the slashes between them as they are. */
const path = (key) => `/${key.split("/").map(encodeURIComponent).join("/")}`;

async function upload(file, key, type = "application/octet-stream") {
    const { size } = await stat(file);
    // Without the length, axios would send the body in chunks, which S3 does not accept.
    const headers = { "Content-Type": type, "Content-Length": size };
    await expect(200, await files.put(path(key), createReadStream(file), { headers }));
}

async function download(key, file) {
    const answer = await files.get(path(key), { responseType: "stream" });
    await expect(200, answer);
    const part = `${file}.part`;
    try {
        await pipeline(answer.data, createWriteStream(part));
        await rename(part, file);
    } finally {
        await rm(part, { force: true });
    }
}

async function remove(key) {
    await expect(204, await files.delete(path(key)));
}

/** Takes the answer that was hoped for, and makes an error of any other. */
async function expect(status, answer) {
    if (answer.status === status) {
        return;
    }
    const body = typeof answer.data === "string" ? answer.data : await text(answer.data);
    const isProblem = `${answer.headers["content-type"]}`.startsWith("application/problem+json");
    // If it is not a problem document, S3 or CloudFront answered.
    const { title, detail } = isProblem ? JSON.parse(body) : { title: answer.statusText, detail: body };
    throw new Error(`${answer.status} ${title}: ${detail}`);
}

const commands = { upload, download, delete: remove };
const [name, ...args] = process.argv.slice(2);

if (!FILES_URL || !FILES_TOKEN || !Object.hasOwn(commands, name) || args.length < (name === "delete" ? 1 : 2)) {
    console.error("usage: FILES_URL=... FILES_TOKEN=... node files.mjs upload FILE KEY [TYPE] | download KEY FILE | delete KEY");
    process.exit(2);
}
try {
    await commands[name](...args);
} catch (error) {
    console.error(error.message);
    process.exit(1);
}
