// The pages for the browser, each on its own origin.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const application = readFileSync(new URL("page.html", import.meta.url));
const signIn = "<!doctype html><title>Sign in</title><link rel='icon' href='data:,'>";

function listen(host, answer) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const server = createServer(answer);
  server.on("error", reject);
  server.listen(0, "127.0.0.1", () => resolve(`http://${host}:${server.address().port}`));
  return promise;
}

function html(response, body) {
  response.setHeader("content-type", "text/html; charset=utf-8").end(body);
}

// Serves the application, once on another site than the distribution's (`localhost`) and once on the same site but
// another origin (`127.0.0.1`, another port); a stranger's application; and a sign-in page, which records its
// requests.
export async function servePages() {
  const arrivals = [];
  const origins = {
    app: await listen("localhost", (_, response) => html(response, application)),
    sibling: await listen("127.0.0.1", (_, response) => html(response, application)),
    stranger: await listen("localhost", (_, response) => html(response, application)),
    login: await listen("localhost", (request, response) => {
      arrivals.push(request.url);
      html(response, signIn);
    }),
  };
  return { origins, arrivals };
}
