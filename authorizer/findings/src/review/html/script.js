"use strict";
// Filters the table of permissions and turns the colours. The page is whole without it. Text of the policy is only
// ever compared with, never written.
{
  const form = document.getElementById("filter");
  const search = document.getElementById("search");
  const status = document.getElementById("shown");
  const rows = [...document.querySelectorAll("#permissions-table tbody tr")].map((row) => ({
    row,
    keys: row.querySelector(".keys").textContent.toLowerCase(),
    who: row.dataset.who.split(" "),
    operations: row.dataset.operations.split(" "),
    effect: row.dataset.effect.split(" "),
  }));

  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    const chosen = (name) => form.elements[name].value;
    const has = (values, value) => value === "" || values.includes(value);
    let shown = 0;
    for (const one of rows) {
      const fits = one.keys.includes(wanted) && has(one.who, chosen("who")) &&
        has(one.operations, chosen("operation")) && has(one.effect, chosen("effect"));
      one.row.hidden = !fits;
      if (fits) shown += 1;
    }
    status.textContent = `${shown} of ${rows.length} rows`;
  };

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("all").addEventListener("click", () => {
    form.reset();
    filter();
  });
  form.hidden = false;
  filter();

  const root = document.documentElement;
  const turn = document.getElementById("dark");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const tell = () => turn.setAttribute("aria-pressed", String(isDark()));
  turn.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    tell();
  });
  system.addEventListener("change", tell);
  turn.hidden = false;
  tell();
}
