
"use strict";
// Sortable tables: each heading becomes a button. Without scripts the tables stay as they are, best first.
const turned = { ascending: "descending", descending: "ascending" };

function compare(numeric) {
  return numeric ? (a, b) => Number(a) - Number(b) : (a, b) => a.localeCompare(b, "en", { numeric: true });
}

function sortBy(table, head, column) {
  const order = turned[head.getAttribute("aria-sort")] || head.dataset.first;
  const sign = order === "descending" ? -1 : 1;
  const by = compare(head.dataset.kind === "number");
  const key = (row) => row.cells[column].dataset.value ?? "";
  const rows = [...table.tBodies[0].rows].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === "" || b === "") return (a === "") - (b === ""); // what has no value stays below
    return sign * by(a, b);
  });
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  table.tBodies[0].append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sortBy(table, head, column));
  });
}

// Paper shows what is folded on the screen.
const opened = [];
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) opened.push(part), (part.open = true);
});
addEventListener("afterprint", () => {
  for (const part of opened.splice(0)) part.open = false;
});
