// Drives Chromium as it is told to.
//
//   node drive.mjs TOOLS USER_DATA_DIR
//
// TOOLS is what `install` filled. The first line of output says where the pages are that it serves. Then each
// line of input is one thing to do, and is answered by one line: what was seen, or why it cannot be done.
// Where the input ends the browser is closed.

import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { documentActions } from "./document.mjs";
import { servePages } from "./pages.mjs";

const [tools, userDataDir] = process.argv.slice(2);
const { chromium } = createRequire(join(tools, "here.js"))("playwright-core");

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const pages = await servePages();
const browser = await chromium.launchPersistentContext(userDataDir, {
  executablePath: join(tools, "chromium"),
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

const tabs = new Map();
const complaints = [];

// What the browser itself says of a tab: failed loads, what CORS blocked, errors of scripts. An icon it asks
// for unbidden, where a page names none.
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

// What really went over the wire for a URL, whatever the page could see of it.
async function overTheWire(request) {
  const response = await request?.response();
  return {
    asked: await request?.allHeaders(),
    answered: response ? { status: response.status(), headers: await response.allHeaders() } : undefined,
  };
}

const actions = {
  ...documentActions({ browser, tabs, listen, tools }),

  // Opens a tab at a URL, as one who types it: where it ends up.
  async open({ tab: name, url }) {
    const tab = await browser.newPage();
    listen(tab);
    tabs.set(name, tab);
    const response = await tab.goto(url);
    return { url: tab.url(), status: response.status() };
  },

  // Has the page of a tab send a request: what it could read of the answer, and what went over the wire.
  async send({ tab: name, request }) {
    const tab = tabs.get(name);
    let sent;
    const note = (made) => {
      if (made.url() === request.url) sent = made;
    };
    tab.on("request", note);
    const seen = await tab.evaluate((request) => window.send(request), request);
    tab.off("request", note);
    // A request that never got as far as an answer has nothing to tell.
    return { ...seen, ...(seen.failed && (await sent?.failure()) ? {} : await overTheWire(sent)) };
  },

  // Has the page of a tab show a URL in a frame.
  async frame({ tab: name, url }) {
    await tabs.get(name).evaluate((url) => new Promise((loaded) => {
      const frame = document.createElement("iframe");
      frame.onload = loaded;
      frame.src = url;
      document.body.append(frame);
    }), url);
    return {};
  },

  // Gives the browser a cookie for a URL, as its server would.
  async cookie({ url, name, value }) {
    await browser.addCookies([{ url, name, value }]);
    return {};
  },

  // The paths that people arrived at to sign in.
  async arrivals() {
    return pages.arrivals;
  },

  // All that the browser complained of so far. Each tab's own last word comes after what it said before.
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
