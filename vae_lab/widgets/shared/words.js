// The words of a widget: a table of whole sentences that comes with the page, so that a translation can take its place.

// say("key", {name: value}) is the sentence of that key with {name} replaced.
function wordsOf(model) {
  const table = model.get("words");
  return (key, values = {}) => {
    if (!(key in table)) throw new Error(`words: the table has no entry ${key}`);
    return table[key].replace(/\{(\w+)\}/g, (_, name) => {
      if (!(name in values)) throw new Error(`words: ${key} wants a value for ${name}`);
      return values[name];
    });
  };
}
