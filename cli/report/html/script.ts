/** Sorting and filtering. Without it the page is whole: it only adds buttons and a field. */
export const SCRIPT = `
"use strict";
const collator = new Intl.Collator("en", { numeric: true });
const valueOf = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.order === undefined ? cell.textContent : Number(cell.dataset.order);
};
for (const table of document.querySelectorAll("table")) {
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    header.replaceChildren(button);
    button.addEventListener("click", () => {
      const descending = header.getAttribute("aria-sort") === "ascending";
      for (const other of headers) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row, column), row]);
      rows.sort(([a], [b]) => (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b)));
      if (descending) rows.reverse();
      table.tBodies[0].append(...rows.map(([, row]) => row));
    });
  });
}
const rows = [...document.querySelectorAll("tbody tr")];
const filter = document.getElementById("filter");
filter.hidden = rows.length === 0;
filter.querySelector("input").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  for (const section of document.querySelectorAll("section[data-rows]")) {
    const all = section.querySelectorAll("tbody tr");
    const shown = [...all].filter((row) => !row.hidden).length;
    section.querySelector(".count").textContent = wanted ? shown + " of " + all.length : String(all.length);
  }
});
`;
