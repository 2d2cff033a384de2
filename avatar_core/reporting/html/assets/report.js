"use strict";
// Filters and sorts the tables of groups. Nothing here writes HTML.
for (const part of document.querySelectorAll(".groups")) {
  const body = part.querySelector("tbody");
  const rows = Array.from(body.rows);
  const texts = new Map(rows.map((row) => [row, row.cells[3].textContent.toLowerCase()]));
  const filters = Array.from(part.querySelectorAll("[data-filter]"));
  const status = part.querySelector("[role=status]");

  const fits = (row, filter) => {
    const wanted = filter.value.trim().toLowerCase();
    if (!wanted) return true;
    const name = filter.dataset.filter;
    return name === "text" ? texts.get(row).includes(wanted) : row.dataset[name] === wanted;
  };
  const show = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !filters.every((filter) => fits(row, filter));
      shown += row.hidden ? 0 : 1;
    }
    status.textContent = shown + " shown";
  };
  for (const filter of filters) filter.addEventListener("input", show);

  const key = (row, column) => row.cells[column].dataset.key;
  const before = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const difference = Number(a) - Number(b);
    return Number.isNaN(difference) ? a.localeCompare(b) : difference;
  };
  const sort = (button) => {
    const heading = button.closest("th");
    const falling = heading.getAttribute("aria-sort") !== "descending";
    for (const other of part.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const column = Number(button.dataset.column);
    const sign = falling ? -1 : 1;
    // A cell without a value comes last, whichever way the others run.
    rows.sort((a, b) => {
      const [x, y] = [key(a, column), key(b, column)];
      return (x === "" || y === "" ? 1 : sign) * before(x, y);
    });
    body.append(...rows);
  };
  for (const button of part.querySelectorAll("button[data-column]")) {
    button.addEventListener("click", () => sort(button));
  }
}
