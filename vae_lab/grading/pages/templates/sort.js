for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("th button").forEach((button, column) => {
    let down = false;
    button.addEventListener("click", () => {
      const key = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const rows = [...table.tBodies[0].rows].sort((a, b) =>
        key(a).localeCompare(key(b), undefined, { numeric: true }));
      if (down) rows.reverse();
      down = !down;
      table.tBodies[0].append(...rows);
    });
  });
}
const field = document.querySelector("#find");
field?.addEventListener("input", () => {
  for (const row of document.querySelector("#class").tBodies[0].rows)
    row.hidden = !row.textContent.toLowerCase().includes(field.value.toLowerCase());
});
