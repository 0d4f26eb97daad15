// The commands for a document: a file on the disk, opened as a person opens it, or the page of a server.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export function documentActions({ browser, tabs, listen, tools }) {
  const requested = [];
  const one = (name) => tabs.get(name);

  return {
    // Opens a file in a tab. All other requests are recorded and blocked.
    async read({ tab: name, path, scripts, width }) {
      const url = pathToFileURL(path).href;
      const tab = await browser.newPage();
      await tab.setViewportSize({ width, height: 900 });
      if (!scripts) {
        const session = await browser.newCDPSession(tab);
        await session.send("Emulation.setScriptExecutionDisabled", { value: true });
      }
      tab.on("websocket", (socket) => requested.push(socket.url()));
      await tab.route("**/*", (route) => {
        const asked = route.request().url();
        if (asked === url) return route.continue();
        requested.push(asked);
        return route.abort();
      });
      listen(tab);
      tabs.set(name, tab);
      await tab.goto(url);
      return {};
    },

    // Opens the page of a server in a tab. Its requests to other servers are recorded.
    async visit({ tab: name, url, width }) {
      const { origin } = new URL(url);
      const tab = await browser.newPage();
      await tab.setViewportSize({ width, height: 900 });
      tab.on("websocket", (socket) => requested.push(socket.url()));
      tab.on("request", (made) => {
        if (!made.url().startsWith(`${origin}/`) && !made.url().startsWith("data:")) requested.push(made.url());
      });
      listen(tab);
      tabs.set(name, tab);
      await tab.goto(url);
      return {};
    },

    // The requests of documents so far, except for the documents themselves.
    async requested() {
      return requested;
    },

    async media({ tab: name, media, colors }) {
      await one(name).emulateMedia({ media, colorScheme: colors });
      return {};
    },

    // Types into the field with a label, as a person does.
    async type({ tab: name, label, text }) {
      const field = one(name).getByLabel(label);
      await field.fill("");
      await field.pressSequentially(text);
      return {};
    },

    async choose({ tab: name, label, option }) {
      await one(name).getByLabel(label, { exact: true }).selectOption({ label: option });
      return {};
    },

    async click({ tab: name, button }) {
      await one(name).getByRole("button", { name: button }).click();
      return {};
    },

    async press({ tab: name, key }) {
      await one(name).keyboard.press(key);
      return {};
    },

    // Waits until such an element is visible.
    async wait({ tab: name, selector }) {
      await one(name).locator(selector).waitFor();
      return {};
    },

    // The value of an expression in the page.
    async value({ tab: name, of }) {
      return { value: await one(name).evaluate(of) };
    },

    // The violations of the Web Content Accessibility Guidelines, A and AA, that axe finds.
    async axe({ tab: name }) {
      const tab = one(name);
      await tab.evaluate(readFileSync(join(tools, "node_modules/axe-core/axe.min.js"), "utf8"));
      return tab.evaluate(async () => {
        const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
        const { violations, passes } = await window.axe.run({ runOnly: { type: "tag", values }, preload: false });
        return {
          passes: passes.map(({ id }) => id),
          violations: violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) })),
        };
      });
    },

    // The text of each page, as it is printed on A4: the page boxes and what the browser puts into their margins too.
    async print({ tab: name }) {
      const { getDocument } = await import(pathToFileURL(join(tools, "node_modules/pdfjs-dist/legacy/build/pdf.mjs")).href);
      const data = new Uint8Array(await one(name).pdf({ format: "A4", preferCSSPageSize: true }));
      const printed = await getDocument({ data, verbosity: 0 }).promise;
      const pages = [];
      for (let number = 1; number <= printed.numPages; number += 1) {
        const { items } = await (await printed.getPage(number)).getTextContent();
        pages.push(items.map(({ str, hasEOL }) => (hasEOL ? `${str}\n` : str)).join(""));
      }
      return pages;
    },

    async picture({ tab: name, path, height }) {
      const { width } = one(name).viewportSize();
      await one(name).screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width, height } });
      return {};
    },
  };
}
