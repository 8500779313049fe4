// Random numbers that a seed fixes: a run in the page can be run again, draw by draw.

// mulberry32: numbers in [0, 1) from a whole number.
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// The numbers 0 to count - 1 in a random order, again and again, each order used up before the next begins.
function shuffler(count, random) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let next = count;
  return () => {
    if (next === count) {
      for (let i = count - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      next = 0;
    }
    return order[next++];
  };
}
