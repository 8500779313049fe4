// The search page: ranks the pages for the words in ?q=, and shows of each the section that says most about them.
"use strict";
{
const GREEK = { α: "alpha", β: "beta", γ: "gamma", ε: "eps", θ: "theta", λ: "lambda", μ: "mu", π: "pi", σ: "sigma", τ: "tau", φ: "phi", ϕ: "phi" };
const WORD = /\p{Script=Greek}|(?:(?!\p{Script=Greek})[\p{L}\p{N}])+/gu; // of a formula each Greek letter is a word
const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replaceAll("đ", "d");
// What the forms of a word have in common: interpolate, interpolating, interpolation; optimiser, optimizers.
const stem = (word) => plain(word).replace(/(?<=[^su]..)s$/, "")
  .replace(/(?<=.{4})is(?=(e|ed|er|ing|ation)$)/, "iz")
  .replace(/(?<=.{4})(ation|ating|ated|ator|ate|ion|ing|ed|er|or|e)$/, "")
  .replace(/([bdgmnprt])\1$/, "$1");
// A letter is found by its name, too (σ by "sigma"), and a word in one form by its others.
const asTerms = (word) => (GREEK[word] ? [word, GREEK[word]] : stem(word));
const stems = (text) => ` ${(text.match(WORD) ?? []).flatMap(asTerms).join(" ")} `;
const options = { tokenize: (text) => text.match(WORD) ?? [], processTerm: asTerms, idField: "key" };

const sections = searchPages.flatMap((page, p) => page.sections.map((section, s) => ({ ...section, key: `${p}.${s}`, page: p })));
const pages = searchPages.map((page, key) => ({
  key, title: page.title.split(":")[0], // the field's term; behind a colon it is explained
  name: page.url.replace(/^.*\/|\.html$/g, ""),
  headings: [page.title.split(":")[1] ?? "", ...page.sections.slice(1).map((section) => section.heading)],
  terms: [...page.terms, ...page.words],
  text: page.sections.map((section) => section.text).join(" "),
}));
const together = (page, field) => [page[field]].flat().join(" · ");
const byPage = new MiniSearch({ ...options, extractField: together, fields: ["title", "name", "headings", "terms", "text"] });
byPage.addAll(pages);
const bySection = new MiniSearch({ ...options, fields: ["heading", "text"] });
bySection.addAll(sections);

// All words, as they are or as beginnings; else words that are spelt a little differently; else some of the words.
function look(index, query, boost, boostDocument) {
  const begins = { boost, boostDocument, prefix: (term) => term.length > 2 };
  const tries = [
    { ...begins, combineWith: "AND" }, { ...begins, combineWith: "AND", fuzzy: (term) => (term.length > 3 ? 0.25 : false) }, begins,
  ];
  for (const one of tries) {
    const found = index.search(query, one);
    if (found.length) return found;
  }
  return [];
}

// A page is about the words if its title, a heading or a term that it introduces has them in this order. A list of
// symbols, of other people's works or of other pages seldom is about a word: it says where the word is at home.
const LISTS = new Set(["lecture", "notation", "references", "status"]);
const asHead = (text) => stems(text.replace(/^(the|an?) /i, ""));
const abouts = pages.map(({ title, name, headings, terms }) => ({
  is: new Set([asHead(title), stems(name.replaceAll("_", " ")), ...[...headings, ...terms].map(asHead)]),
  title: stems(title), head: headings.map(stems).join("·"),
}));
function weight(query) {
  const asked = stems(query);
  return (key) => {
    const { is, title, head } = abouts[key];
    const about = is.has(asked) ? 3 : title.includes(asked) ? 2.5 : head.includes(asked) ? 1.5 : 1;
    return about * (LISTS.has(pages[key].name) ? 0.4 : 1);
  };
}

// Some words around the first of the terms, marked.
function snippet(text, terms) {
  const words = [...text.matchAll(WORD)];
  const isFound = (word) => [asTerms(word)].flat().some((term) => terms.has(term));
  const hits = words.filter((word) => isFound(word[0]));
  const middle = hits[0]?.index ?? 0;
  let from = Math.max(0, middle - 70);
  if (from) from = text.indexOf(" ", from) + 1;
  const to = text.length > from + 190 ? text.lastIndexOf(" ", from + 190) : text.length;
  const pieces = [from ? "… " : ""];
  let at = from;
  for (const hit of hits.filter((word) => word.index >= from && word.index + word[0].length <= to)) {
    pieces.push(text.slice(at, hit.index), Object.assign(document.createElement("mark"), { textContent: hit[0] }));
    at = hit.index + hit[0].length;
  }
  return [...pieces, text.slice(at, to), to < text.length ? " …" : ""];
}

function make(tag, className, ...children) {
  const element = Object.assign(document.createElement(tag), { className });
  element.append(...children);
  return element;
}

const BOOST = { title: 12, name: 6, headings: 4, terms: 6 };

function show(query) {
  const list = make("ul", "search");
  const found = look(byPage, query, BOOST, weight(query));
  const inside = look(bySection, query, { heading: 3 }, () => 1);
  const root = document.documentElement.dataset.content_root ?? "./";
  for (const { id, terms } of found) {
    const page = searchPages[id], best = inside.find((hit) => hit.id.startsWith(`${id}.`));
    const section = page.sections[best ? Number(best.id.split(".")[1]) : 0];
    const link = make("a", "", page.title);
    link.href = `${root}${page.url}${section === page.sections[0] ? "" : `#${section.id}`}`;
    link.addEventListener("click", () => { // the page marks the words; a browser may forbid to tell it
      try { localStorage.setItem("sphinx_highlight_terms", query.toLowerCase()); } catch { /* then it does not */ }
    });
    const item = make("li", "", link);
    if (section !== page.sections[0] && section.heading) item.append(make("span", "section", ` ${section.heading}`));
    const marked = new Set([...terms, ...(best?.terms ?? [])]), words = snippet(section.text, marked);
    if (!words.some((piece) => piece instanceof Element)) { // the page has another word for it
      const other = page.words.find((word) => stems(word).split(" ").some((term) => marked.has(term)));
      if (other) words.unshift(Object.assign(document.createElement("mark"), { textContent: other }), ": ");
    }
    item.append(make("p", "context", ...words));
    list.append(item);
  }
  const count = found.length === 1 ? "One page was found" : `${found.length} pages were found`;
  const said = found.length ? `${count} for “${query}”.` : `Nothing was found for “${query}”. Try fewer or other words.`;
  document.getElementById("search-results").replaceChildren(make("p", "search-summary", said), list);
}

function start() {
  const query = (new URLSearchParams(location.search).get("q") ?? "").trim();
  const field = document.querySelector(".bd-search-container input[type=search]");
  if (field) { field.value = query; if (!query) field.focus(); }
  if (query) show(query);
}
if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
else start();
} // nothing of this is seen by the theme's scripts
