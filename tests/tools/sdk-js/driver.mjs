// Makes calls with AWS's SDK for JavaScript for the tests, and prints their results.
//
//     node driver.mjs PORT TOKEN
//
// Each line of standard input is a call and each line of standard output its answer, both JSON:
//
//     {"call": "PutObject", "args": {"Key": "users/alice/a", "Body": "x"}}
//     {"result": {...}} or {"error": {"name": "AccessDenied", "status": 403, "message": "..."}}
//
// The client is set as docs/clients.md says, for the bucket `files` at `example.com`. Its requests go to this machine.

import { Agent } from "node:http";
import { createInterface } from "node:readline";
import * as sdk from "@aws-sdk/client-s3";

const [port, token] = process.argv.slice(2);
const lookup = (_, { all }, found) =>
    all ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4);

const s3 = new sdk.S3Client({
    region: "us-east-1",
    endpoint: `http://example.com:${port}`,
    signer: {
        async sign(request) {
            request.headers.authorization = `Bearer ${token}`;
            return request;
        },
    },
    credentials: { accessKeyId: "none", secretAccessKey: "none" },
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // A retry would hide an answer that a test checks.
    maxAttempts: 1,
    requestHandler: { httpAgent: new Agent({ lookup }) },
});

for await (const line of createInterface({ input: process.stdin })) {
    const { call, args } = JSON.parse(line);
    let answer;
    try {
        const { Body, $metadata, ...result } = await s3.send(new sdk[`${call}Command`]({ Bucket: "files", ...args }));
        answer = { result: Body ? { ...result, Body: await Body.transformToString() } : result };
    } catch (error) {
        const { name, message, $metadata } = error;
        answer = { error: { name, message, status: $metadata?.httpStatusCode } };
    }
    console.log(JSON.stringify(answer));
}
