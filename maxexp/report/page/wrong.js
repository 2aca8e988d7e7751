// Test images that most runs get wrong. A single run gets each of them wrong once: those shown are its first.
function wrong() {
  if (data.wrong.length && data.wrong.every(({ evaluated }) => evaluated === 1))
    document.querySelector("#wrong h2").textContent = "The first images that it gets wrong";
  const parts = data.wrong.map(({ dataset, evaluated, always_right: right, total, images }) => [
    element("p", { class: "quiet" }, `${dataset}, ${evaluated} run${evaluated > 1 ? "s" : ""} with recorded predictions: `
      + `${format(right)} of ${format(total)} test images are right${evaluated > 1 ? " in all of them" : ""}.`
      + (images.some((image) => !image.thumbnail) ? " The data set was not at hand when this page was made: images are named by their index." : "")),
    element("div", { class: "images" }, ...images.map((image) => element("figure", {},
      image.thumbnail ? element("img", { src: image.thumbnail, alt: `test image ${image.index}` }) : "",
      element("figcaption", {}, element("b", {}, image.true), ` taken for ${image.predicted}`,
        element("div", { class: "quiet" }, `${evaluated > 1 ? `${image.runs} of ${evaluated} runs · ` : ""}no. ${image.index}`))))),
  ]).flat();
  return parts.length ? parts : "No run recorded its predictions.";
}
