// Theme, first selection, and all sections once.
const COMPARING = ["runs", "tradeoff", "differences"];

// What a section of a page of one run needs; without, it is left out. A comparison says of whom something is missing.
const NEEDS = {
  curves: (run) => Object.values(run.curves).some((points) => points[0].length),
  chip: (run) => run.network !== null,
  confusion: (run) => run.confusion,
  ranges: (run) => run.ranges,
};

function hideEmpty() {
  for (const [id, has] of Object.entries(NEEDS)) document.getElementById(id).hidden = !data.runs.some(has);
  document.getElementById("wrong").hidden = !data.wrong.length;
}

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

// A page of one run has nothing to compare: its figures come first.
function showOne() {
  for (const id of COMPARING) document.getElementById(id).hidden = true;
  document.querySelector("#details h2").textContent = "Figures";
  document.getElementById("runs").after(document.getElementById("details"));
  hideEmpty();
}

const sound = data.runs.filter((run) => !["failed", "killed", "died"].includes(run.status));
(sound.length ? sound : data.runs).slice(0, 6).forEach(select);
headlines();
notes();
if (data.runs.length > 1) {
  listeners.push(table);
  table();
  section("tradeoff", tradeoff);
  section("differences", differences);
} else showOne();
section("curves", curves);
section("chip", chip);
section("confusion", confusion);
section("wrong", wrong);
section("ranges", ranges);
section("details", details);
document.getElementById("search").addEventListener("input", table);
document.getElementById("theme").addEventListener("click", theme);
addEventListener("hashchange", openDetails);
openDetails();
