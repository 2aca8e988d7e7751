// Headlines, notes and the table of runs.
const HEADLINES = data.runs.length > 1
  ? [[`Highest ${data.accuracy}`, "accuracy", -1], ["Fastest", "latency", 1], ["Smallest weights", "memory", 1]]
  : [[capitalized(data.accuracy), "accuracy", -1], ["Latency", "latency", 1], ["Weight memory", "memory", 1]];
const CONFIGURED_COLUMNS = 12;

function capitalized(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function headlines() {
  const datasets = [...new Set(data.runs.map((run) => run.dataset))];
  for (const dataset of datasets) {
    const known = data.runs.some((run) => run.dataset === dataset && Object.values(data.axes).some((key) => key in run.values));
    if (!known && datasets.length > 1) continue;
    const cards = HEADLINES.map(([label, axis, sign]) => headline(dataset, datasets.length > 1, label, data.axes[axis], sign));
    document.getElementById("headlines").append(element("div", { class: "cards" }, ...cards));
  }
}

function headline(dataset, several, label, key, sign) {
  const having = data.runs.filter((run) => run.dataset === dataset && key in run.values && !run.stopped_early);
  const [best] = having.sort((a, b) => sign * (a.values[key] - b.values[key]));
  const head = element("div", { class: "label" }, several ? `${label}, ${dataset}` : label);
  if (!best) return element("div", { class: "card" }, head, element("div", { class: "value" }, MISSING));
  const value = element("div", { class: "value" }, withUnit(best, key));
  const from = source(best, key);
  const run = data.runs.length > 1 ? element("div", { class: "run" }, detailLink(best), from === "computed" ? "" : ` (${from})`)
    : element("div", { class: "run" }, from);
  return element("div", { class: "card" }, head, value, run);
}

function notes() {
  const box = document.getElementById("notes");
  box.hidden = data.notes.length === 0;
  box.querySelector("ul").append(...data.notes.map((note) => element("li", {}, note)));
}

function detailLink(run) {
  return element("a", { href: `#run-${run.id}` }, run.name);
}

// Value that most runs have, by key of the configuration.
const usual = new Map(data.differing.map((key) => {
  const counts = new Map();
  for (const run of data.runs) counts.set(run.params[key], (counts.get(run.params[key]) ?? 0) + 1);
  const [[value, count], second] = [...counts].sort((a, b) => b[1] - a[1]);
  return [key, second && second[1] === count ? null : value];
}));

function isOdd(run, key) {
  return usual.get(key) !== null && run.params[key] !== usual.get(key);
}

const describing = [
  { label: "status", value: (run) => run.status, cell: statusCell },
  { label: "network", value: (run) => run.model },
  { label: "data", value: (run) => run.dataset },
  { label: "quantization", value: (run) => run.quantization + (run.bits ? `, ${run.bits} bits` : "") },
];

function tellsApart(column) {
  return new Set(data.runs.map(column.value)).size > 1;
}

function metricColumn(metric) {
  return {
    label: metric.label,
    unit: metric.unit,
    title: metric.name,
    number: true,
    better: metric.better,
    value: (run) => run.values[metric.key],
    cell: (run) => numberCell(run, metric.key),
  };
}

// A phone shows two or three columns: what runs are judged by, then what tells them apart, last what they share.
const judging = Object.values(data.axes).filter((key) => metrics.has(key));
const columns = [
  { label: "run", value: (run) => run.name, cell: runCell },
  ...judging.map((key) => metricColumn(metrics.get(key))),
  ...describing.filter(tellsApart),
  ...data.metrics.filter((metric) => !judging.includes(metric.key)).map(metricColumn),
  ...describing.filter((column) => !tellsApart(column)),
  ...data.differing.slice(0, CONFIGURED_COLUMNS).map((key) => ({
    label: key,
    value: (run) => (run.params[key] === undefined || run.params[key] === "" || isNaN(run.params[key]) ? run.params[key] : Number(run.params[key])),
    cell: (run) => element("td", { class: isOdd(run, key) ? "odd" : null }, run.params[key] ?? MISSING),
  })),
];

let sorting = { column: null, descending: false };

function runCell(run) {
  const box = element("input", { type: "checkbox", "aria-label": `show ${run.name}`, onchange: () => toggle(run) });
  box.checked = selection.has(run.id);
  box.disabled = !box.checked && selection.size >= COLORS;
  return element("th", { scope: "row", style: color(run) }, element("label", { class: "pick" }, box,
    selection.has(run.id) ? element("span", { class: "swatch" }) : null, detailLink(run)));
}

function statusCell(run) {
  return element("td", {}, element("span", { class: run.status === "finished" ? "tag" : "tag warn" }, run.status));
}

function numberCell(run, key) {
  const recorded = key in run.values;
  const from = source(run, key);
  const classes = ["number", run.best.includes(key) ? "best" : "", recorded ? "" : "missing"].join(" ").trim();
  const mark = recorded && from !== "computed" && from !== "counted" ? element("small", {}, from) : null;
  return element("td", { class: classes, title: recorded ? from : "not recorded by this run" }, figure(run, key), mark);
}

function table() {
  const wanted = document.getElementById("search").value.toLowerCase();
  const shown = data.runs.filter((run) => run.name.toLowerCase().includes(wanted));
  if (sorting.column) shown.sort(compareBy(sorting.column, sorting.descending));
  const head = element("tr", {}, ...columns.map(heading));
  const rows = shown.map((run) => element("tr", { "data-run": run.id }, ...columns.map((column) =>
    column.cell ? column.cell(run) : element("td", {}, column.value(run)))));
  document.getElementById("table").replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
}

function heading(column) {
  const state = sorting.column !== column ? "none" : sorting.descending ? "descending" : "ascending";
  const button = element("button", { type: "button", title: column.title ?? null, onclick: () => sortBy(column) }, column.label);
  const unit = column.unit ? element("small", {}, column.unit) : null;
  return element("th", { scope: "col", "aria-sort": state, class: column.number ? "number" : null }, button, unit);
}

// The best first; once more: the other way round.
function sortBy(column) {
  const descending = sorting.column === column ? !sorting.descending : column.better > 0;
  sorting = { column, descending };
  table();
}

function compareBy(column, descending) {
  return (one, other) => {
    const a = column.value(one), b = column.value(other);
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    return descending ? -order : order;
  };
}
