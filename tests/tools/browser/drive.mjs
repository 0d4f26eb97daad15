// Drives Chromium.
//
//   node drive.mjs TOOLS USER_DATA_DIR [SWITCH...]
//
// TOOLS is the folder that `install` fills. The switches are Chromium's own, beside those below. The first line of output has the addresses of its pages. Then each line
// of input is one command, and one line of output its result or error. At the end of the input, it closes the
// browser.

import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { documentActions } from "./document.mjs";
import { servePages } from "./pages.mjs";
import { personActions } from "./person.mjs";

const [tools, userDataDir, ...switches] = process.argv.slice(2);
const { chromium } = createRequire(join(tools, "here.js"))("playwright-core");

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const pages = await servePages();
const browser = await chromium.launchPersistentContext(userDataDir, {
  executablePath: join(tools, "chromium"),
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", ...switches],
});

const tabs = new Map();
const complaints = [];

// The browser's own messages about a tab: failed loads, requests that CORS blocked, errors of scripts. Without those
// about the icon, which it requests by itself.
function listen(tab) {
  tab.on("pageerror", (error) => complaints.push({ text: String(error), url: tab.url() }));
  tab.on("crash", () => complaints.push({ text: "the tab crashed", url: tab.url() }));
  tab.on("console", (message) => {
    const { url } = message.location();
    if (["error", "warning"].includes(message.type()) && !url.endsWith("/favicon.ico")) {
      complaints.push({ text: message.text(), url });
    }
  });
}

// The request and response that were really sent for a URL, whether the page could see them or not.
async function overTheWire(request) {
  const response = await request?.response();
  return {
    asked: await request?.allHeaders(),
    answered: response ? { status: response.status(), headers: await response.allHeaders() } : undefined,
  };
}

const actions = {
  ...documentActions({ browser, tabs, listen, tools }),
  ...personActions({ browser, tabs, listen }),

  // Opens a tab at a URL, as if typed. Returns where it ends.
  async open({ tab: name, url }) {
    const tab = await browser.newPage();
    listen(tab);
    tabs.set(name, tab);
    const response = await tab.goto(url);
    return { url: tab.url(), status: response.status() };
  },

  // Makes the page of a tab send a request. Returns what it could read of the answer, and what was really sent.
  async send({ tab: name, request }) {
    const tab = tabs.get(name);
    let sent;
    const note = (made) => {
      if (made.url() === request.url) sent = made;
    };
    tab.on("request", note);
    const seen = await tab.evaluate((request) => window.send(request), request);
    tab.off("request", note);
    // A request without an answer has nothing to add.
    return { ...seen, ...(seen.failed && (await sent?.failure()) ? {} : await overTheWire(sent)) };
  },

  // Makes the page of a tab show a URL in a frame.
  async frame({ tab: name, url }) {
    await tabs.get(name).evaluate((url) => new Promise((loaded) => {
      const frame = document.createElement("iframe");
      frame.onload = loaded;
      frame.src = url;
      document.body.append(frame);
    }), url);
    return {};
  },

  // Sets a cookie for a URL, as its server would.
  async cookie({ url, name, value, path }) {
    const { hostname } = new URL(url);
    await browser.addCookies([path ? { domain: hostname, path, name, value } : { url, name, value }]);
    return {};
  },

  // The cookies that the browser has for a host, each as `NAME PATH`.
  async cookies({ url }) {
    const { hostname } = new URL(url);
    const cookies = await browser.cookies();
    return cookies.filter((one) => one.domain === hostname).map((one) => `${one.name} ${one.path}`).sort();
  },

  // The paths that were requested from the sign-in page.
  async arrivals() {
    return pages.arrivals;
  },

  // All complaints of the browser so far. A tab's last message comes after its earlier ones.
  async complaints() {
    for (const tab of tabs.values()) {
      const isLast = tab.waitForEvent("console", (message) => message.text() === "that is all");
      await tab.evaluate(() => console.debug("that is all"));
      await isLast;
    }
    return complaints;
  },
};

say(pages.origins);
for await (const line of createInterface({ input: process.stdin })) {
  const { action, ...what } = JSON.parse(line);
  say(await actions[action](what).then((seen) => ({ seen }), (error) => ({ error: error.stack })));
}
await browser.close();
process.exit(0);
