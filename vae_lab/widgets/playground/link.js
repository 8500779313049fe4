// A run as a line of text and back: where it began, what was changed at which step, and how far it went.
// The run is repeated, step by step, from its seed: no weights travel.

const NUMBERS = { beta: [0, 100], decoderSigma: [0.03, 3], learningRate: [0.0003, 0.1] }, LONGEST = 50000;
const KINDS = ["pathwise", "cut", "score"];

function toLink({ data, points, run, follow }) {
  const parts = [`data=${data}`, `latent=${run.latent}`, `seed=${run.seed}`, `steps=${run.state.steps}`, `follow=${follow}`];
  for (const [name, value] of Object.entries(run.started)) parts.push(`${name}=${value}`);
  if (run.changes.length) parts.push(`changes=${run.changes.map((c) => `${c.step}*${c.name}*${c.value}`).join("_")}`);
  const byte = (v) => Math.round(((v + REACH) / (2 * REACH)) * 255).toString(16).padStart(2, "0");
  if (data === "drawn") parts.push(`points=${points.flat().map(byte).join("")}`);
  return parts.join("&");
}

// Returns null for text that is no such line; numbers out of range are brought into it.
function fromLink(text, names) {
  const found = Object.fromEntries(text.split("&").map((part) => part.split("=")));
  if (!names.includes(found.data)) return null;
  const whole = (value, low, high) => clamp(Math.round(Number(value)) || 0, low, high);
  const setting = (name, value) => (name === "estimator" ? (KINDS.includes(value) ? value : "pathwise") : clamp(Number(value) || 0, ...NUMBERS[name]));
  const settings = Object.fromEntries(["estimator", ...Object.keys(NUMBERS)].map((name) => [name, setting(name, found[name])]));
  const changes = (found.changes ?? "").split("_").map((change) => change.split("*")).filter(([, name]) => name === "estimator" || name in NUMBERS)
    .map(([step, name, value]) => ({ step: whole(step, 0, LONGEST), name, value: setting(name, value) }));
  const bytes = (found.points ?? "").match(/[0-9a-f]{4}/g) ?? [];
  const number = (hex) => (parseInt(hex, 16) / 255) * 2 * REACH - REACH;
  return {
    data: found.data, latent: whole(found.latent, 1, 6), seed: whole(found.seed, 0, 9999), steps: whole(found.steps, 0, LONGEST),
    follow: whole(found.follow, 0, 9999), settings, changes, points: bytes.map((pair) => [number(pair.slice(0, 2)), number(pair.slice(2))]),
  };
}
