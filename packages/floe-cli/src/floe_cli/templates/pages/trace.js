"use strict";
const trace = JSON.parse(document.getElementById("data").textContent);
const spans = trace.spans;
const MARKS = {ok: "✓", warned: "!", failed: "✗", skipped: "–", cancelled: "■", open: "…"};
const WORDS = {ok: "succeeded", warned: "warned", failed: "failed", skipped: "skipped", cancelled: "canceled", open: "not ended"};
const TESTS = new Set(["test", "unit_test", "check"]);
const $ = id => document.getElementById(id);
const byId = new Map(spans.map((span, number) => [span.span_id, number]));
const end = Math.max(...spans.map(span => span.begins + span.seconds), 1e-6);
const state = {text: "", status: "", critical: false, folded: new Set(), chosen: -1, from: 0, to: end};

// What each span has below it: the rows that follow it, deeper than itself.
const last = new Array(spans.length);
const parents = new Array(spans.length).fill(-1);
{
  const above = [];
  spans.forEach((span, number) => {
    above.length = span.depth;
    parents[number] = span.depth ? above[span.depth - 1] : -1;
    above[span.depth] = number;
    for (const ancestor of above) last[ancestor] = number;
  });
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function duration(seconds) {
  if (seconds < 0.9995) return `${(seconds * 1000).toFixed(seconds < 0.00095 && seconds ? 1 : 0)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 4.995 ? 2 : 1)} s`;
  if (seconds < 3599.5) { const whole = Math.round(seconds); return `${Math.floor(whole / 60)} min ${whole % 60} s`; }
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function percent(seconds) { return (seconds - state.from) / (state.to - state.from) * 100; }

// ---------------------------------------------------------------- head

function drawHead() {
  $("job").textContent = trace.job || "run";
  $("status").textContent = WORDS[trace.status];
  $("status").className = `pill m-${trace.status}`;
  const fact = (name, value) => element("span", {}, `${name} `, element("b", {}, value));
  const onPath = trace.critical_path.reduce((sum, part) => sum + part.seconds, 0);
  $("facts").append(
    fact("run", trace.run_id),
    fact("started", trace.started_at.replace("T", " ").replace(/(\.\d+)?\+00:00$/, " UTC")),
    fact(trace.is_complete ? "took" : trace.status === "open" ? "so far" : "is there of it", duration(trace.seconds)),
    fact("spans", String(spans.length)),
    element("span", {}, element("i", {class: "cp"}), `critical path of ${duration(onPath)}: what the end waited for`),
  );
  const notices = [];
  if (!trace.is_complete) notices.push(`The run's own span is missing: ${trace.state || "the run was under way when this page was written, or its process was killed"}. The last span was written at ${trace.written_at.replace("T", " ").replace("+00:00", " UTC")}.`);
  if (trace.unreadable_lines) notices.push(`Lines of the file that could not be read: ${trace.unreadable_lines}.`);
  $("notice").textContent = notices.join(" ");
  $("notice").hidden = !notices.length;
  drawPath();
}

function drawPath() {
  const parts = [], strip = [];
  spans.forEach((span, number) => span.critical.forEach(([begins, ends]) => parts.push({span, number, begins, ends})));
  parts.sort((one, other) => one.begins - other.begins);
  for (const part of parts) {
    const took = part.ends - part.begins;
    const name = ["run", "step", "dbt"].includes(part.span.kind) ? `${part.span.kind} ${part.span.label} itself` : part.span.label;
    const share = took / (trace.seconds || 1);
    const button = element("button", {class: `k-${part.span.kind}${share < 0.03 ? " narrow" : ""}`, role: "listitem", title: `${name}: ${duration(took)}`, "aria-label": `${name}, ${duration(took)}`});
    const texts = share < 0.03 ? [] : [`${part.span.label || part.span.kind} ${duration(took)}`, part.span.label, duration(took)];
    button.style.flexGrow = String(Math.max(took, 1e-6));
    button.addEventListener("click", () => choose(part.number, {reveal: true}));
    $("path").append(button);
    strip.push([button, texts]);
  }
  for (const [button, texts] of strip) {
    for (const text of [...texts, ""]) {
      button.textContent = text;
      if (button.scrollWidth <= button.clientWidth) break;
    }
  }
}

function drawStatuses() {
  const counts = new Map();
  for (const span of spans) counts.set(span.status, (counts.get(span.status) || 0) + 1);
  for (const status of Object.keys(MARKS)) {
    if (!counts.has(status)) continue;
    const button = element("button", {"aria-pressed": "false", "data-status": status}, element("span", {class: `m-${status}`}, MARKS[status]), ` ${counts.get(status)} ${WORDS[status]}`);
    button.addEventListener("click", () => { state.status = state.status === status ? "" : status; draw(); });
    $("statuses").append(button);
  }
}

// ---------------------------------------------------------------- rows

const texts = spans.map(span => JSON.stringify([span.name, span.note, span.error, span.attributes]).toLowerCase());
const rows = [];

function drawRows() {
  const fragment = document.createDocumentFragment();
  spans.forEach((span, number) => {
    const hasMore = last[number] > number;
    const name = element("div", {class: "name"});
    name.style.paddingLeft = `${4 + span.depth * 16}px`;
    const fold = element("button", {class: "fold", tabindex: "-1", "aria-hidden": "true"}, hasMore ? "▾" : "");
    fold.disabled = !hasMore;
    fold.addEventListener("click", event => { event.stopPropagation(); toggleFold(number); });
    name.append(fold, element("span", {class: `mark m-${span.status}`, title: WORDS[span.status]}, MARKS[span.status]));
    if (span.kind !== "span") name.append(element("span", {class: "kind"}, span.kind));
    name.append(element("span", {class: "label", title: span.name}, span.label || span.name));
    if (span.reason) name.append(element("span", {class: "note"}, `skipped: ${span.reason}`));
    if (span.headline) name.append(element("span", {class: "why", title: span.error}, span.headline));
    if (span.note) name.append(element("span", {class: "note"}, span.note));
    const time = element("div", {class: "time"});
    const row = element("div", {class: `row k-${span.kind} s-${span.status}${span.is_on_critical_path ? " on-path" : ""}`, role: "treeitem", tabindex: "-1", "aria-level": String(span.depth + 1), "aria-label": `${span.name}, ${WORDS[span.status]}, ${duration(span.seconds)}${span.is_on_critical_path ? ", on the critical path" : ""}`}, name, time);
    if (hasMore) row.setAttribute("aria-expanded", "true");
    row.addEventListener("click", () => choose(number, {focus: true}));
    rows.push({row, time, fold});
    fragment.append(row);
  });
  $("rows").append(fragment);
}

function drawTimes() {
  spans.forEach((span, number) => {
    const {time} = rows[number];
    time.textContent = "";
    const ends = span.begins + span.seconds;
    if (ends < state.from || span.begins > state.to) return;
    const place = (made, begins, until) => {
      const left = Math.max(percent(begins), 0), right = Math.min(percent(until), 100);
      made.style.left = `${left}%`;
      made.style.width = `${Math.max(right - left, 0)}%`;
      return made;
    };
    time.append(place(element("span", {class: "bar"}), span.begins, ends));
    for (const [begins, until] of span.critical) {
      if (until >= state.from && begins <= state.to) time.append(place(element("span", {class: "on"}), begins, until));
    }
    const took = element("span", {class: "took"}, duration(span.seconds));
    took.style.left = `${Math.min(percent(ends), 100)}%`;
    time.append(took);
  });
  drawScale();
}

function drawScale() {
  const scale = $("scale"), width = state.to - state.from;
  scale.textContent = "";
  const rough = width / Math.max(Math.floor(scale.clientWidth / 110), 2);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(candidate => candidate >= rough);
  for (let at = Math.ceil(state.from / step) * step; at < state.to; at += step) {
    const tick = element("span", {}, duration(at));
    tick.style.left = `${percent(at)}%`;
    if (percent(at) < 97) scale.append(tick);
  }
  $("whole").disabled = state.from === 0 && state.to === end;
}

function isMatch(number) {
  const span = spans[number];
  return (!state.status || span.status === state.status) && (!state.critical || span.is_on_critical_path)
    && (!state.text || texts[number].includes(state.text));
}

function draw() {
  const isFiltered = Boolean(state.text || state.status || state.critical);
  const matches = spans.map((_, number) => isMatch(number));
  const shown = [...matches];
  if (isFiltered) matches.forEach((found, number) => { for (let up = found ? parents[number] : -1; up >= 0; up = parents[up]) shown[up] = true; });
  let hiddenUntil = -1;
  spans.forEach((span, number) => {
    const isFolded = !isFiltered && state.folded.has(number);
    rows[number].row.hidden = number <= hiddenUntil || !shown[number];
    rows[number].row.style.display = rows[number].row.hidden ? "none" : "";
    rows[number].row.style.opacity = isFiltered && !matches[number] ? ".5" : "";
    if (isFolded && number > hiddenUntil) hiddenUntil = last[number];
    if (last[number] > number) {
      rows[number].fold.textContent = isFolded ? "▸" : "▾";
      rows[number].row.setAttribute("aria-expanded", String(!isFolded));
    }
  });
  const tests = state.foldTests && !isFiltered;
  spans.forEach((span, number) => {
    if (tests && TESTS.has(span.kind) && span.status === "ok") { rows[number].row.hidden = true; rows[number].row.style.display = "none"; }
  });
  const number = matches.filter(Boolean).length;
  $("count").textContent = isFiltered ? `${number} of ${spans.length} spans` : "";
  $("nothing").hidden = number > 0;
  for (const button of $("statuses").children) button.setAttribute("aria-pressed", String(button.dataset.status === state.status));
  $("critical").setAttribute("aria-pressed", String(state.critical));
  $("fold").textContent = state.foldTests ? "Show passed tests" : "Hide passed tests";
  if (!visible().includes(state.chosen)) makeReachable(visible()[0]);
}

function visible() { return spans.map((_, number) => number).filter(number => !rows[number].row.hidden); }

function makeReachable(number) {
  for (const {row} of rows) row.tabIndex = -1;
  if (number !== undefined) rows[number].row.tabIndex = 0;
}

function toggleFold(number) {
  if (!state.folded.delete(number)) state.folded.add(number);
  draw();
}

// ---------------------------------------------------------------- one span

function choose(number, {focus = false, reveal = false} = {}) {
  if (state.chosen >= 0) rows[state.chosen].row.removeAttribute("aria-selected");
  state.chosen = number;
  if (reveal) {
    for (let up = parents[number]; up >= 0; up = parents[up]) state.folded.delete(up);
    if (rows[number].row.hidden) { state.text = $("search").value = ""; state.status = ""; state.critical = false; state.foldTests = false; }
    draw();
  }
  rows[number].row.setAttribute("aria-selected", "true");
  makeReachable(number);
  if (focus) rows[number].row.focus({preventScroll: true});
  drawDetails(spans[number]);
  rows[number].row.scrollIntoView({block: reveal ? "center" : "nearest"});
}

function drawDetails(span) {
  const details = $("details");
  details.textContent = "";
  const close = element("button", {class: "close", "aria-label": "Close details"}, "×");
  close.addEventListener("click", closeDetails);
  details.append(close, element("h2", {}, span.name), element("div", {class: `m-${span.status}`}, `${MARKS[span.status]} ${WORDS[span.status]}`));
  if (span.error) details.append(element("h3", {}, "Error"), element("pre", {class: "error"}, span.error));
  const stack = span.events.map(event => event.attributes["exception.stacktrace"]).find(Boolean);
  if (stack) {
    const block = element("details", {}, element("summary", {}, "Stack trace"), element("pre", {}, String(stack)));
    details.append(block);
  }
  const own = span.critical_seconds ? `${duration(span.critical_seconds)} of its own (${(span.critical_seconds / (trace.seconds || 1) * 100).toFixed(1)} % of the run)` : span.is_on_critical_path ? "by way of spans below it" : "not on it";
  details.append(element("h3", {}, "Time"), list({"took": duration(span.seconds), "began": `${duration(span.begins)} after the run`, "critical path": own}));
  if (span.note) details.append(element("p", {}, span.note));
  if (Object.keys(span.attributes).length) details.append(element("h3", {}, "Attributes"), list(span.attributes));
  for (const event of span.events.filter(event => event.name !== "exception")) {
    details.append(element("h3", {}, `Event ${event.name}`), list(event.attributes));
  }
  if (span.links.length) details.append(element("h3", {}, "Refers to traces"), ...span.links.map(link => element("div", {class: "mono"}, link)));
  details.append(element("h3", {}, "Ids"), list({"span": span.span_id, "parent": span.parent_id || "none", "trace": trace.trace_id}));
  details.hidden = false;
}

function list(values) {
  const made = element("dl");
  for (const [name, value] of Object.entries(values)) {
    made.append(element("dt", {}, name), element("dd", {}, typeof value === "string" ? value : JSON.stringify(value)));
  }
  return made;
}

function closeDetails() {
  $("details").hidden = true;
  if (state.chosen >= 0) { rows[state.chosen].row.removeAttribute("aria-selected"); rows[state.chosen].row.focus({preventScroll: true}); }
}

// ---------------------------------------------------------------- keyboard, pointer

function move(event) {
  const at = rows.findIndex(({row}) => row === document.activeElement);
  if (at < 0) return false;
  const numbers = visible(), index = numbers.indexOf(at);
  const goTo = number => { if (number !== undefined) choose(number, {focus: true}); };
  switch (event.key) {
    case "ArrowDown": goTo(numbers[index + 1]); return true;
    case "ArrowUp": goTo(numbers[index - 1]); return true;
    case "PageDown": goTo(numbers[Math.min(index + 15, numbers.length - 1)]); return true;
    case "PageUp": goTo(numbers[Math.max(index - 15, 0)]); return true;
    case "Home": goTo(numbers[0]); return true;
    case "End": goTo(numbers[numbers.length - 1]); return true;
    case "ArrowLeft":
      if (last[at] > at && !state.folded.has(at)) toggleFold(at);
      else if (parents[at] >= 0) goTo(parents[at]);
      return true;
    case "ArrowRight":
      if (state.folded.has(at)) toggleFold(at);
      else goTo(numbers[index + 1]);
      return true;
    case "Enter": case " ": choose(at, {focus: true}); return true;
    default: return false;
  }
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = document.activeElement === $("search");
  if (event.key === "Escape") {
    if (isTyping && state.text) { state.text = $("search").value = ""; draw(); }
    else if (isTyping) $("search").blur();
    else closeDetails();
    return;
  }
  if (isTyping) return;
  if (event.key === "/") { $("search").focus(); event.preventDefault(); }
  else if (event.key === "c") $("critical").click();
  else if (move(event)) event.preventDefault();
});

$("search").addEventListener("input", event => { state.text = event.target.value.trim().toLowerCase(); draw(); });
$("critical").addEventListener("click", () => { state.critical = !state.critical; draw(); });
$("fold").addEventListener("click", () => { state.foldTests = !state.foldTests; draw(); });
$("fold").hidden = !spans.some(span => TESTS.has(span.kind) && span.status === "ok");
$("whole").addEventListener("click", () => { state.from = 0; state.to = end; drawTimes(); });

{
  let from = -1;
  const shade = element("span", {class: "drag"});
  const fraction = event => { const box = $("scale").getBoundingClientRect(); return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1); };
  $("scale").addEventListener("pointerdown", event => { from = fraction(event); $("scale").setPointerCapture(event.pointerId); });
  $("scale").addEventListener("pointermove", event => {
    if (from < 0) return;
    const at = fraction(event);
    shade.style.left = `${Math.min(from, at) * 100}%`;
    shade.style.width = `${Math.abs(at - from) * 100}%`;
    $("scale").append(shade);
  });
  $("scale").addEventListener("pointerup", event => {
    const at = fraction(event), width = state.to - state.from, low = Math.min(from, at), high = Math.max(from, at);
    from = -1;
    if (high - low > 0.01) [state.from, state.to] = [state.from + low * width, state.from + high * width];
    drawTimes();
  });
}
window.addEventListener("resize", drawScale);

drawHead();
drawStatuses();
drawRows();
drawTimes();
draw();
if (byId.has(trace.first_failure)) choose(byId.get(trace.first_failure), {reveal: true});
