// Theme, first selection, and all sections once.
function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  for (const redraw of listeners) redraw();
}

function openDetails() {
  if (!location.hash.startsWith("#run-")) return;
  for (const redraw of listeners) redraw();
  document.getElementById("details").scrollIntoView();
}

data.runs.slice(0, 6).forEach(select);
headlines();
notes();
listeners.push(table);
table();
if (data.runs.length > 1) {
  section("tradeoff", tradeoff);
  section("differences", differences);
} else for (const id of ["tradeoff", "differences", "search"]) document.getElementById(id).hidden = true;
section("curves", curves);
section("chip", chip);
section("confusion", confusion);
section("wrong", wrong);
section("details", details);
document.getElementById("search").addEventListener("input", table);
document.getElementById("theme").addEventListener("click", theme);
addEventListener("hashchange", openDetails);
openDetails();
