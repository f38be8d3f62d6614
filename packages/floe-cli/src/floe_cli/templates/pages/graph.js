"use strict";
const graph = JSON.parse(document.getElementById("data").textContent);
const {nodes, edges, places} = graph;
const $ = id => document.getElementById(id);
const picture = $("picture");
const boxes = [...picture.querySelectorAll(".box")];
const arrows = new Map([...picture.querySelectorAll(".arrow")].map(arrow => [Number(arrow.dataset.n), arrow]));
const numberOf = new Map(nodes.map((node, number) => [node.key, number]));
const hasColumns = nodes.some(node => node.columns);
const state = {text: "", group: null, kind: null, chosen: -1, row: -1};
const view = {x: 0, y: 0, width: 1, height: 1, pixels: 0, isWhole: true};

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function counted(number, noun) { return `${number} ${noun}${number === 1 ? "" : "s"}`; }

// ---------------------------------------------------------------- what depends on what

const ends = edges.map(edge => {
  const source = numberOf.get(edge.from), target = numberOf.get(edge.to);
  const row = (number, column) => column === undefined ? -1 : nodes[number].columns.indexOf(column);
  return {source, target, sourceRow: row(source, edge.from_column), targetRow: row(target, edge.to_column)};
});

// Everything that a box, or one of its rows, is made of (towards -1) or that is made from it (towards 1).
function reach(number, row, towards) {
  const found = {boxes: new Set(), rows: new Set(), edges: new Set()};
  const seen = new Set(), waiting = [[number, row]];
  while (waiting.length) {
    const [at, atRow] = waiting.pop();
    ends.forEach((end, edge) => {
      const [here, hereRow, there, thereRow] = towards > 0
        ? [end.source, end.sourceRow, end.target, end.targetRow] : [end.target, end.targetRow, end.source, end.sourceRow];
      if (here !== at || (atRow >= 0 && hereRow >= 0 && hereRow !== atRow)) return;
      found.edges.add(edge);
      found.boxes.add(there);
      if (thereRow >= 0) found.rows.add(`${there}:${thereRow}`);
      const next = `${there}:${thereRow}`;
      if (!seen.has(next)) { seen.add(next); waiting.push([there, thereRow]); }
    });
  }
  found.boxes.delete(number);
  return found;
}

function direct(number, towards) {
  const found = ends.filter(end => (towards > 0 ? end.source : end.target) === number).map(end => towards > 0 ? end.target : end.source);
  return [...new Set(found)].filter(other => other !== number).sort((one, other) => places[one][1] - places[other][1]);
}

// ---------------------------------------------------------------- drawing

function isMatch(number) {
  const node = nodes[number];
  return (state.group === null || node.group === state.group) && (state.kind === null || node.kind === state.kind)
    && (!state.text || `${node.key} ${node.group} ${(node.columns || []).join(" ")} ${Object.values(node.details).join(" ")}`.toLowerCase().includes(state.text));
}

function draw() {
  const isChosen = state.chosen >= 0;
  const up = isChosen ? reach(state.chosen, state.row, -1) : null, down = isChosen ? reach(state.chosen, state.row, 1) : null;
  boxes.forEach((box, number) => {
    const marks = {chosen: number === state.chosen, up: Boolean(up && up.boxes.has(number)), down: Boolean(down && down.boxes.has(number))};
    for (const [name, is] of Object.entries(marks)) box.classList.toggle(name, is);
    box.classList.toggle("faded", !isMatch(number) || (isChosen && !marks.chosen && !marks.up && !marks.down));
    box.setAttribute("aria-pressed", String(marks.chosen));
    for (const row of box.querySelectorAll(".row")) {
      const key = `${number}:${row.dataset.row}`;
      row.classList.toggle("chosen", marks.chosen && Number(row.dataset.row) === state.row);
      row.classList.toggle("up", Boolean(up && up.rows.has(key)));
      row.classList.toggle("down", Boolean(down && down.rows.has(key)));
    }
  });
  for (const [edge, arrow] of arrows) {
    const isUp = Boolean(up && up.edges.has(edge)), isDown = Boolean(down && down.edges.has(edge));
    arrow.classList.toggle("up", isUp);
    arrow.classList.toggle("down", isDown);
    const {source, target} = ends[edge];
    arrow.classList.toggle("faded", isChosen ? !isUp && !isDown : !isMatch(source) || !isMatch(target));
    if (isUp || isDown) arrow.parentNode.append(arrow);
  }
  const matches = nodes.filter((_, number) => isMatch(number)).length;
  $("size").textContent = matches === nodes.length ? `${counted(nodes.length, graph.noun)}, ${counted(edges.length, "arrow")}` : `${matches} of ${counted(nodes.length, graph.noun)}`;
  for (const button of $("groups").children) button.setAttribute("aria-pressed", String(state.group === button.dataset.value));
  for (const button of $("kinds").children) button.setAttribute("aria-pressed", String(state.kind === button.dataset.value));
}

function choose(number, row = -1, {show = false} = {}) {
  state.chosen = number;
  state.row = row;
  boxes.forEach((box, other) => { box.tabIndex = other === (number < 0 ? 0 : number) ? 0 : -1; });
  draw();
  if (number < 0) { $("details").hidden = true; return; }
  drawDetails(number, row);
  if (show) { reveal(number); boxes[number].focus({preventScroll: true}); }
}

function drawDetails(number, row) {
  const node = nodes[number], details = $("details");
  details.textContent = "";
  const close = element("button", {class: "close", "aria-label": "Close details"}, "×");
  close.addEventListener("click", () => choose(-1));
  details.append(close, element("h2", {}, row >= 0 ? `${node.name}.${node.columns[row]}` : node.name));
  if (row < 0 && node.key !== node.name) details.append(element("div", {class: "dim"}, node.key));
  if (node.details.description) details.append(element("p", {}, node.details.description));
  const up = reach(number, row, -1), down = reach(number, row, 1);
  drawLinks(details, "Made of", "up-word", number, row, -1, up);
  drawLinks(details, "Made from it", "down-word", number, row, 1, down);
  const list = element("dl");
  for (const [name, value] of Object.entries({kind: node.kind, ...node.details})) {
    if (name !== "description" && name !== "sql") list.append(element("dt", {}, name), element("dd", {}, value));
  }
  details.append(element("h3", {}, "Known of it"), list);
  if (node.details.sql) details.append(element("h3", {}, "SQL"), element("pre", {}, node.details.sql));
  details.hidden = false;
}

function drawLinks(details, word, color, number, row, towards, reached) {
  const others = row < 0 ? direct(number, towards).map(other => [other, -1]) : [...new Set(ends.filter(end => towards > 0 ? end.source === number && end.sourceRow === row : end.target === number && end.targetRow === row).map(end => towards > 0 ? `${end.target}:${end.targetRow}` : `${end.source}:${end.sourceRow}`))].map(key => key.split(":").map(Number));
  const all = row < 0 ? reached.boxes.size : reached.rows.size;
  const more = all > others.length ? ` directly, ${all} altogether` : "";
  details.append(element("h3", {class: color}, `${word}: ${others.length}${more}`));
  const links = element("div", {class: "links"});
  for (const [other, otherRow] of others) {
    const name = otherRow >= 0 ? `${nodes[other].name}.${nodes[other].columns[otherRow]}` : hasColumns || graph.noun === "table" ? nodes[other].name : nodes[other].key;
    const button = element("button", {}, name);
    button.addEventListener("click", () => choose(other, otherRow, {show: true}));
    links.append(button);
  }
  details.append(links);
}

// ---------------------------------------------------------------- the view

function applyView() {
  const {width, height} = picture.getBoundingClientRect();
  if (width && height) picture.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.width * height / width}`);
  view.height = view.width * (height || 1) / (width || 1);
  view.pixels = width;
}

// The whole picture stays whole when there is less room for it; what was zoomed keeps its scale.
function resize() {
  const {width} = picture.getBoundingClientRect();
  if (!width || width === view.pixels) { applyView(); return; }
  if (view.isWhole) { fit(); return; }
  view.width *= width / view.pixels;
  applyView();
  if (state.chosen >= 0) reveal(state.chosen);
}

function fit() {
  const {width, height} = picture.getBoundingClientRect();
  const scale = Math.min(width / graph.width, height / graph.height, 1.25);
  view.isWhole = true;
  view.width = width / scale;
  view.x = (graph.width - view.width) / 2;
  view.y = (graph.height - height / scale) / 2;
  if (graph.height * scale > height) view.y = 0;
  applyView();
}

function open() {
  // A graph that could not be read as a whole begins at its upper left.
  const {width, height} = picture.getBoundingClientRect();
  fit();
  if (Math.min(width / graph.width, height / graph.height) < 0.45) {
    view.width = width / 0.8;
    view.x = view.y = 0;
    view.isWhole = false;
    applyView();
  }
}

function zoom(factor, clientX, clientY) {
  const box = picture.getBoundingClientRect();
  const fractionX = clientX === undefined ? 0.5 : (clientX - box.left) / box.width;
  const fractionY = clientY === undefined ? 0.5 : (clientY - box.top) / box.height;
  const width = Math.min(Math.max(view.width / factor, 120), Math.max(graph.width, graph.height, 800) * 4);
  const height = width * box.height / box.width;
  view.x += (view.width - width) * fractionX;
  view.y += (view.height - height) * fractionY;
  view.width = width;
  view.isWhole = false;
  applyView();
}

function reveal(number) {
  const [x, y, width, height] = places[number];
  if (x < view.x || x + width > view.x + view.width) view.x = x + width / 2 - view.width / 2;
  if (y < view.y || y + height > view.y + view.height) view.y = y + height / 2 - view.height / 2;
  applyView();
}

{
  let last = null, moved = false;
  picture.addEventListener("pointerdown", event => { if (event.button === 0) { last = [event.clientX, event.clientY]; moved = false; } });
  picture.addEventListener("pointermove", event => {
    if (!last) return;
    const scale = view.width / picture.getBoundingClientRect().width;
    const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
    if (!moved && Math.abs(dx) + Math.abs(dy) < 4) return;
    if (!moved) { moved = true; picture.classList.add("moving"); picture.setPointerCapture(event.pointerId); }
    view.isWhole = false;
    view.x -= dx * scale;
    view.y -= dy * scale;
    last = [event.clientX, event.clientY];
    applyView();
  });
  const stop = () => { last = null; picture.classList.remove("moving"); };
  picture.addEventListener("pointerup", stop);
  picture.addEventListener("pointercancel", stop);
  picture.addEventListener("click", event => {
    if (moved) { moved = false; return; }
    const box = event.target.closest(".box"), row = event.target.closest(".row");
    if (!box) { choose(-1); return; }
    choose(Number(box.dataset.n), row ? Number(row.dataset.row) : -1);
    boxes[state.chosen].focus({preventScroll: true});
  });
  picture.addEventListener("wheel", event => { event.preventDefault(); zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX, event.clientY); }, {passive: false});
}
// On paper the whole picture is there, whatever was looked at.
window.addEventListener("beforeprint", () => {
  picture.setAttribute("viewBox", `0 0 ${graph.width} ${graph.height}`);
});
window.addEventListener("afterprint", applyView);
$("in").addEventListener("click", () => zoom(1.3));
$("out").addEventListener("click", () => zoom(1 / 1.3));
$("fit").addEventListener("click", fit);
new ResizeObserver(resize).observe($("stage"));

// ---------------------------------------------------------------- search, groups, keyboard

function filterButtons(holder, name, values, mark) {
  for (const value of values) {
    const button = element("button", {"aria-pressed": "false"}, ...mark(value), value || "no group");
    button.dataset.value = value;
    button.addEventListener("click", () => { state[name] = state[name] === value ? null : value; choose(-1); });
    $(holder).append(button);
  }
}

function colorDot(group) {
  const sample = boxes[nodes.findIndex(node => node.group === group)].querySelector(".stripe").cloneNode();
  for (const [name, value] of Object.entries({x: 1, y: 1, width: 10, height: 10, rx: 3})) sample.setAttribute(name, value);
  const dot = document.createElementNS(picture.namespaceURI, "svg");
  dot.setAttribute("class", "picture dot");
  dot.setAttribute("viewBox", "0 0 12 12");
  dot.append(sample);
  return [dot];
}

const groups = [...new Set(nodes.map(node => node.group))].sort();
if (groups.length > 1) filterButtons("groups", "group", groups, colorDot);
const kinds = ["python", "dbt", "external"].filter(kind => nodes.some(node => node.kind === kind));
if (kinds.length > 1) filterButtons("kinds", "kind", kinds, () => []);
$("search").addEventListener("input", event => { state.text = event.target.value.trim().toLowerCase(); choose(-1); });
$("search").addEventListener("keydown", event => {
  if (event.key !== "Enter") return;
  const found = nodes.findIndex((_, number) => isMatch(number));
  if (found >= 0) choose(found, -1, {show: true});
});

function neighbour(number, key) {
  if (key === "ArrowLeft") return direct(number, -1)[0];
  if (key === "ArrowRight") return direct(number, 1)[0];
  const [x, y, width] = places[number], sign = key === "ArrowDown" ? 1 : -1;
  const others = places.map((place, other) => [other, (place[1] - y) * sign, Math.abs(place[0] + place[2] / 2 - x - width / 2)]);
  return others.filter(([, distance]) => distance > 0).sort((one, other) => (one[1] + one[2] * 3) - (other[1] + other[2] * 3)).map(([other]) => other)[0];
}

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = document.activeElement === $("search");
  if (event.key === "Escape") {
    if (isTyping) $("search").blur();
    state.text = $("search").value = "";
    state.group = state.kind = null;
    choose(-1);
    return;
  }
  if (isTyping) return;
  const at = boxes.indexOf(document.activeElement);
  if (event.key === "/") $("search").focus();
  else if (event.key === "+" || event.key === "=") zoom(1.3);
  else if (event.key === "-") zoom(1 / 1.3);
  else if (event.key === "0") fit();
  else if ((event.key === "Enter" || event.key === " ") && at >= 0) choose(at, -1, {show: true});
  else if (event.key.startsWith("Arrow") && at >= 0) {
    const next = neighbour(at, event.key);
    if (next !== undefined) choose(next, -1, {show: true});
  } else return;
  event.preventDefault();
});

$("title").textContent = graph.title;
$("nothing").hidden = nodes.length > 0;
boxes.forEach((box, number) => {
  box.setAttribute("role", "button");
  box.setAttribute("aria-label", `${nodes[number].key}, ${nodes[number].kind}${nodes[number].group ? `, group ${nodes[number].group}` : ""}`);
  box.tabIndex = number ? -1 : 0;
});
draw();
open();
