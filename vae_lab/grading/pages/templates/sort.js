// Tables that sort by a click and find a word. A small class is all there as rows; of a large one the page holds
// the first hundred rows and everybody as data, and rows are drawn for what is looked at.
const table = document.querySelector("#class");
const body = table.tBodies[0];
const field = document.querySelector("#find");
const order = new Intl.Collator(undefined, { numeric: true });
const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : order.compare(a ?? "", b ?? ""));

function onSort(sort) {
  table.querySelectorAll("th button").forEach((button, column) => {
    let down = false;
    button.addEventListener("click", () => {
      sort(column, down ? -1 : 1);
      down = !down;
    });
  });
}

function smallClass() {
  const key = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent;
  onSort((column, sign) => {
    const rows = [...body.rows].sort((a, b) => sign * order.compare(key(a, column), key(b, column)));
    body.append(...rows);
  });
  field.addEventListener("input", () => {
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(field.value.toLowerCase());
  });
}

function largeClass({ rows, most, link, size }) {
  const [begin, end] = ["{", "}"].map((mark) => link.indexOf(mark));
  const href = (student) => link.slice(0, begin) + encodeURIComponent(student) + link.slice(end + 1);
  const words = rows.map((row) => [row.s, row.n ?? "", row.t, row.f ?? ""].join(" ").toLowerCase());
  const named = rows.some((row) => row.n !== undefined);
  const keys = [(row) => row.s, ...(named ? [(row) => row.n] : []), (row) => row.p, (row) => row.t];
  for (const column of most.keys()) keys.push((row) => (row.c[column] === null ? -1 : Math.abs(row.c[column])));
  keys.push((row) => row.x);
  let shown = [...rows.keys()];
  let first = 0;

  const cell = (text, kind = "keep") => {
    const made = document.createElement("td");
    made.className = kind;
    made.textContent = text;
    return made;
  };
  const plain = (number) => String(Math.round(Math.abs(number) * 100) / 100);
  const mark = (points, column) => {
    const made = cell("");
    if (points === null) return made;
    const tag = document.createElement("span");
    const waits = points < 0 || Object.is(points, -0);
    const verdict = waits ? "waits" : points >= most[column] ? "passed" : points <= 0 ? "failed" : "partly";
    tag.className = `tag ${verdict}`;
    tag.textContent = plain(points);
    made.append(tag);
    return made;
  };
  const drawn = (row) => {
    const made = document.createElement("tr");
    const link = document.createElement("a");
    link.href = href(row.s);
    link.textContent = row.s;
    const who = cell("");
    who.append(link);
    if (row.f) who.title = row.f;
    made.append(who, ...(named ? [cell(row.n ?? "")] : []), cell(plain(row.p), "n"), cell(row.t));
    made.append(...row.c.map(mark), cell(row.x.toFixed(2), "n"));
    return made;
  };
  const [back, on, where] = ["#back", "#on", "#where"].map((name) => document.querySelector(name));
  const draw = () => {
    body.replaceChildren(...shown.slice(first, first + size).map((number) => drawn(rows[number])));
    const last = Math.min(first + size, shown.length);
    const numbers = { first: first + 1, last, n: shown.length };
    const says = shown.length ? table.dataset.where : table.dataset.nobody;
    where.textContent = says.replace(/\{(\w+)\}/g, (_, name) => numbers[name]);
    back.disabled = first === 0;
    on.disabled = last === shown.length;
  };
  back.addEventListener("click", () => { first = Math.max(0, first - size); draw(); });
  on.addEventListener("click", () => { first += size; draw(); });
  onSort((column, sign) => {
    shown.sort((a, b) => sign * compare(keys[column](rows[a]), keys[column](rows[b])) || a - b);
    first = 0;
    draw();
  });
  field.addEventListener("input", () => {
    const wanted = field.value.toLowerCase();
    shown = [...rows.keys()].filter((number) => words[number].includes(wanted));
    first = 0;
    draw();
  });
  draw();
}

const data = document.querySelector("#everybody");
if (data) largeClass(JSON.parse(data.textContent));
else smallClass();
