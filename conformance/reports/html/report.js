"use strict";
const filter = document.getElementById("filter");
filter.hidden = filter.querySelectorAll("input").length < 2;
filter.addEventListener("change", ({ target }) => {
  for (const group of document.querySelectorAll(".group"))
    if (group.dataset.verdict === target.value) group.hidden = !target.checked;
});
const open = () => {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let each = named; each; each = each.parentElement) {
    if (each.tagName === "DETAILS") each.open = true;
    each.hidden = false;
  }
  if (named) named.scrollIntoView();
};
addEventListener("hashchange", open);
open();
if (navigator.clipboard)
  for (const place of document.querySelectorAll(".copied")) {
    const button = document.createElement("button");
    button.textContent = "copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(place.querySelector("pre").textContent);
      button.textContent = "copied";
    });
    place.append(button);
  }
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details:not(.exchange)")) each.open = true;
});
