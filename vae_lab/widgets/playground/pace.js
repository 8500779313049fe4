// How much of a frame goes into script. The rest is the browser's, which paints: how long that takes it tells nobody, but
// frames that come late show it.

const FRAME = 1000 / 60, LATE = 1.3 * FRAME, AWAY = 500; // milliseconds; after AWAY the page was out of sight, not slow
const LEAST_SCRIPT = 6, MOST_SCRIPT = 12;

// Called with the time of each frame; gives the milliseconds that its script may take: a little more while frames come
// sixty times a second, a fifth less when one is late.
function framePace() {
  let allowed = (LEAST_SCRIPT + MOST_SCRIPT) / 2, before = -Infinity;
  return (time) => {
    const gap = time - before;
    before = time;
    if (gap < LATE) allowed = Math.min(MOST_SCRIPT, allowed + 0.05);
    else if (gap < AWAY) allowed = Math.max(LEAST_SCRIPT, 0.8 * allowed);
    return allowed;
  };
}

// Pictures that take turns: each call draws the next one of those in sight, and goes on while `hasTime()`, until all are
// drawn. A picture is {root, draw}.
function turns(pictures, inSight) {
  let next = 0;
  return (hasTime, ...seen) => {
    let drawn = 0;
    for (let k = 0; k < pictures.length && (!drawn || hasTime()); k++) {
      const picture = pictures[next++ % pictures.length];
      if (!inSight(picture.root)) continue;
      picture.draw(...seen);
      drawn += 1;
    }
    return drawn;
  };
}

// Which of these elements can be seen, or nearly.
function sight(elements) {
  const seen = new Set(elements);
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) seen.add(target); else seen.delete(target);
  }, { rootMargin: "100px" });
  for (const element of elements) observer.observe(element);
  return { has: (element) => seen.has(element), stop: () => observer.disconnect() };
}
