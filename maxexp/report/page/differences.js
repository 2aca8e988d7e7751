// Keys of the configuration in which the ticked runs differ.
function differences() {
  const runs = selectedRuns();
  if (!data.differing.length) return "The runs have the same configuration.";
  const keys = data.differing.filter((key) => new Set(runs.map((run) => run.params[key])).size > 1);
  const same = data.differing.length - keys.length;
  if (!keys.length) return "The ticked runs have the same configuration.";
  const head = element("tr", {}, element("th", {}, "key"), ...runs.map((run) =>
    element("th", { style: color(run) }, element("span", { class: "swatch" }), " ", run.name)));
  const rows = keys.map((key) => element("tr", {}, element("th", { scope: "row" }, element("code", {}, key)), ...runs.map((run) =>
    element("td", { class: isOdd(run, key) ? "odd" : null }, run.params[key] ?? "not set"))));
  const text = "Of the ticked runs. Tinted: not the value that most of all runs have."
    + (same ? ` In ${same} more key${same > 1 ? "s" : ""} other runs differ.` : "");
  return [element("p", { class: "quiet" }, text),
    element("div", { class: "scroll tall" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)))];
}
