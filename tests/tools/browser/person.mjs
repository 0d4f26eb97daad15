// The commands for a person who signs in: pages that lead to other pages, and the cookies that stay.

// How long a page may take: a machine may be busy.
const DEADLINE = 60_000;

export function personActions({ browser, tabs, listen }) {
  const visits = [];
  const one = (name) => tabs.get(name);

  // The requests for pages, with their answers, in their order.
  function record(name, tab) {
    tab.on("response", (response) => {
      const request = response.request();
      if (!request.isNavigationRequest() || request.frame() !== tab.mainFrame()) return;
      const clears = response.headers()["clear-site-data"] ?? "";
      visits.push({ tab: name, method: request.method(), url: request.url(), status: response.status(), clears });
    });
  }

  return {
    // Opens a link in a tab, which is new if there is none of the name, as if it was typed.
    async go({ tab: name, url }) {
      let tab = one(name);
      if (!tab) {
        tab = await browser.newPage();
        tab.setDefaultTimeout(DEADLINE);
        listen(tab);
        record(name, tab);
        tabs.set(name, tab);
      }
      // An answer without a page, such as a redirect that goes round, is an error of the browser.
      await tab.goto(url, { timeout: DEADLINE });
      return {};
    },

    // Types into a field.
    async fill({ tab: name, selector, text }) {
      await one(name).locator(selector).fill(text);
      return {};
    },

    // Presses something that leads to another page, and waits for a page whose URL begins so.
    async lead({ tab: name, selector, to }) {
      const tab = one(name);
      await tab.locator(selector).click();
      await tab.waitForURL((url) => url.href.startsWith(to), { timeout: DEADLINE });
      return {};
    },

    // Goes back, as with the browser's button.
    async back({ tab: name }) {
      await one(name).goBack({ timeout: DEADLINE });
      return {};
    },

    // What a tab shows.
    async shows({ tab: name }) {
      const tab = one(name);
      return { url: tab.url(), title: await tab.title(), text: await tab.locator("body").innerText() };
    },

    // The requests for pages so far, in all tabs.
    async visits() {
      return visits;
    },

    // The cookies, with their values and attributes.
    async jar() {
      return browser.cookies();
    },

    // Sets cookies, with their attributes.
    async keep({ cookies }) {
      await browser.addCookies(cookies);
      return {};
    },

    // Removes the cookies of a name, or all.
    async forget({ name }) {
      await browser.clearCookies(name ? { name } : {});
      return {};
    },
  };
}
