// The search page: ranks the pages for the words in ?q=, and shows of each the section that says most about them.
"use strict";
{
const said = (text) => globalThis.courseWords?.[text] ?? text; // another language's book loads words.js first
const GREEK = { α: "alpha", β: "beta", γ: "gamma", ε: "eps", θ: "theta", λ: "lambda", μ: "mu", π: "pi", σ: "sigma", τ: "tau", φ: "phi", ϕ: "phi" };
const WORD = /\p{Script=Greek}|(?:(?!\p{Script=Greek})[\p{L}\p{N}])+/gu; // of a formula each Greek letter is a word
const language = document.documentElement.lang;
// Another language's book loads its stemmer first (book/_ext/search_vietnamese.py); in English only marks are taken off,
// and the forms of a word are one: interpolate, interpolating, interpolation; optimiser, optimizers.
const stemmer = typeof Stemmer === "function" ? new Stemmer() : null;
const plain = (text) => (stemmer ? stemmer.stemWord(text) : text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replaceAll("đ", "d"));
const stem = (word) => (stemmer ? plain(word) : plain(word).replace(/(?<=[^su]..)s$/, "")
  .replace(/(?<=.{4})is(?=(e|ed|er|ing|ation)$)/, "iz")
  .replace(/(?<=.{4})(ation|ating|ated|ator|ate|ion|ing|ed|er|or|e)$/, "")
  .replace(/([bdgmnprt])\1$/, "$1"));
// A letter is found by its name, too (σ by "sigma"), and a word in one form by its others.
const asTerms = (word) => (GREEK[word] ? [word, GREEK[word]] : stem(word));
const words = (text) => text.normalize("NFC").match(WORD) ?? [];
const stems = (text) => ` ${words(text).flatMap(asTerms).join(" ")} `;
const options = { tokenize: words, processTerm: asTerms, idField: "key" };

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

// A word of Vietnamese is several syllables: side by side, and with the marks that were typed, they are the word. A tone may
// stand on either vowel of a pair (hóa, hoá), so it is compared at the end of its syllable.
const TONE = /[\u0300\u0301\u0303\u0309\u0323]/;
const toned = (text) => text.toLowerCase().normalize("NFD")
  .replace(/(?:\p{L}\p{M}*)+/gu, (syllable) => syllable.replace(TONE, "") + (TONE.exec(syllable)?.[0] ?? ""));
function asOneWord(found, query) {
  if (language !== "vi") return found;
  for (const form of plain(query) === query.toLowerCase() ? [plain] : [toned, plain]) {
    const whole = found.filter(({ id }) => form([pages[id].title, pages[id].headings, pages[id].text].join(" ")).includes(form(query)));
    if (whole.length) return whole;
  }
  return found;
}

// Some words around the first of the terms, marked.
function phraseIn(text, query) {
  const bare = plain(text), asked = plain(query), hits = []; // letter for letter as long as the text
  for (let at = bare.indexOf(asked); at >= 0 && bare.length === text.length; at = bare.indexOf(asked, at + asked.length)) {
    const hit = [text.slice(at, at + asked.length)];
    hit.index = at;
    hits.push(hit);
  }
  return hits.length ? hits : null;
}
function snippet(text, terms, query) {
  const words = [...text.matchAll(WORD)];
  const isFound = (word) => [asTerms(word)].flat().some((term) => terms.has(term));
  const inPhrase = language === "vi" ? phraseIn(text, query) : null;
  const hits = inPhrase ?? words.filter((word) => isFound(word[0]));
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
  const found = asOneWord(look(byPage, query, BOOST, weight(query)), query);
  const inside = look(bySection, query, { heading: 3 }, () => 1);
  if (language === "vi") { // the section that has the word before those that have its syllables
    const asked = plain(query);
    const holding = new Set(sections.filter(({ text }) => plain(text).includes(asked)).map(({ key }) => key));
    inside.sort((a, b) => holding.has(b.id) - holding.has(a.id));
  }
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
    const marked = new Set([...terms, ...(best?.terms ?? [])]), pieces = snippet(section.text, marked, query);
    if (!pieces.some((piece) => piece instanceof Element)) { // the page has another word for it
      const other = page.words.find((word) => stems(word).split(" ").some((term) => marked.has(term)));
      if (other) pieces.unshift(Object.assign(document.createElement("mark"), { textContent: other }), ": ");
    }
    item.append(make("p", "context", ...pieces));
    list.append(item);
  }
  const summary = !found.length ? said("Nothing was found for “{query}”. Try fewer or other words.")
    : found.length === 1 ? said("One page was found for “{query}”.") : said("{count} pages were found for “{query}”.");
  const values = { count: found.length, query };
  const line = summary.replace(/\{(\w+)\}/g, (place, name) => values[name]);
  document.getElementById("search-results").replaceChildren(make("p", "search-summary", line), list);
}

function start() {
  const query = (new URLSearchParams(location.search).get("q") ?? "").trim().normalize("NFC");
  const field = document.querySelector(".bd-search-container input[type=search]");
  if (field) { field.value = query; if (!query) field.focus(); }
  if (query) show(query);
}
if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
else start();
} // nothing of this is seen by the theme's scripts
