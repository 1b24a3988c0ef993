// The page: what the server tells by events is kept as one document, and drawn anew whenever it changes. All text from
// outside goes through text nodes and attributes; nothing is ever parsed as HTML.

const main = document.getElementById("main");
const state = {
  live: null, session: { may_change: false, needs_token: false }, history: {}, minutes: 60,
  jobs: null, job: null, logs: null, trouble: null, started: new Set(),
};

// ---------- making elements ----------

const SVG = new Set(["svg", "path", "line"]);

function h(tag, attributes, ...children) {
  const element = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  for (const child of children.flat(3)) {
    if (child !== null && child !== undefined && child !== false) element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

// Makes `old` look like `fresh`, keeping nodes, so that focus, selection and scrolling stay where they are.
function morph(old, fresh) {
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  after.forEach((node, index) => {
    const present = before[index];
    if (!present) old.append(node);
    else if (present.nodeType !== node.nodeType || present.nodeName !== node.nodeName || keyOf(present) !== keyOf(node)) present.replaceWith(node);
    else if (node.nodeType === Node.TEXT_NODE) { if (present.data !== node.data) present.data = node.data; }
    else { syncAttributes(present, node); if (!isEdited(present)) morph(present, node); }
  });
  before.slice(after.length).forEach((node) => node.remove());
}
const keyOf = (node) => node.getAttribute?.("data-key") ?? null;
const isEdited = (node) => node === document.activeElement && node.matches("input, textarea, select");

function syncAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

// ---------- words and numbers ----------

const number = (value) => (value ?? 0).toLocaleString("en");
const counted = (value, one, many) => `${number(value)} ${value === 1 ? one : many}`;
const duration = (us) => us === undefined || us === null ? "–" : us < 1000 ? `${us} µs` : us < 1e6 ? `${us / 1000} ms` : `${us / 1e6} s`;
const clock = (ms) => ms ? new Date(ms).toISOString().replace("T", " ").slice(0, 19) + " UTC" : "–";
function age(ms) {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 172800 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86400)} days ago`;
}
const STATES = ["waiting", "delayed", "running", "succeeded", "dead", "cancelled"];
const tone = { succeeded: "good", serving: "good", ok: "good", connected: "good", open: "good", dead: "bad", disconnected: "bad",
  impaired: "bad", unreachable: "bad", down: "bad", crashed: "bad", quarantined: "bad", invalid: "bad", incompatible: "bad",
  timeout: "bad", failed: "bad", permanent: "bad", delayed: "warn", paused: "warn", draining: "warn", cancelled: "warn" };
const badge = (word, extra) => h("span", { class: `badge ${tone[word] ?? ""}` }, word, extra);
const action = (name, label, data = {}, kind = "") => state.session.may_change &&
  h("button", { type: "button", class: `small ${kind}`, "data-action": name, ...Object.fromEntries(Object.entries(data).map(([k, v]) => [`data-${k}`, v])) }, label);
const path = (...parts) => "/api/v1/" + parts.map(encodeURIComponent).join("/");
// Browsers take the ids . and .. for folders, however they are written in a path.
const jobPath = (pipeline, id, ...tail) => /^\.\.?$/.test(id)
  ? `${path("pipelines", pipeline, "job", ...tail)}?${new URLSearchParams({ id })}` : path("pipelines", pipeline, "jobs", id, ...tail);

// ---------- the server ----------

async function ask(url, options = {}) {
  const headers = { ...(options.headers ?? {}) };
  const token = sessionStorage.getItem("token");
  if (token && options.method) headers.Authorization = `Bearer ${token}`;
  let response;
  try { response = await fetch(url, { ...options, headers }); } catch { throw new Error("the server does not answer"); }
  const text = await response.text();
  let body = null;
  try { body = JSON.parse(text); } catch { /* an answer without JSON */ }
  if (response.status === 401) { askForToken(); }
  if (!response.ok) throw new Error(body?.detail ?? `${response.status} ${response.statusText}`);
  return { body, text, status: response.status };
}

function merge(target, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const result = target && typeof target === "object" && !Array.isArray(target) ? target : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value);
  }
  return result;
}

let source = null;
let heardAt = 0;

function listen() {
  source?.close();
  source = new EventSource("/api/v1/events");
  const heard = (event, apply) => { heardAt = Date.now(); apply?.(JSON.parse(event.data)); connection(true); draw(); };
  source.addEventListener("snapshot", (event) => heard(event, (document) => { state.live = document; refresh(); }));
  source.addEventListener("patch", (event) => heard(event, (patch) => { state.live = merge(state.live, patch); }));
  source.addEventListener("alive", () => { heardAt = Date.now(); connection(true); });
  source.onerror = () => connection(false);
}

function connection(isLive) {
  const line = document.getElementById("connection");
  const all = pipelines();
  const lost = all.filter(([, pipeline]) => pipeline.state === "unreachable").length;
  const text = !isLive ? "Connection lost; trying again…" : lost ? `${lost} of ${counted(all.length, "coordinator", "coordinators")} unreachable` : "Live";
  if (line.textContent !== text) line.textContent = text;
  line.classList.toggle("lost", !isLive || lost > 0);
}

// A connection that is silent for longer than the server ever is has died without a word.
setInterval(() => {
  if (Date.now() - heardAt > 12000) { connection(false); heardAt = Date.now(); listen(); }
}, 1000);

// ---------- where we are ----------

function route() {
  const [place, query] = (location.hash.slice(1) || "/").split("?");
  return { parts: place.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query ?? "") };
}
function decoded(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}
const pipelines = () => Object.entries(state.live?.pipelines ?? {});
const phasesOf = (pipeline) => Object.values(pipeline.phases ?? {});
const isLost = (pipeline) => pipeline?.state === "unreachable";
const asOf = (pipeline) => isLost(pipeline) && pipeline.as_of_ms && h("span", { class: "badge bad" }, `as of ${clock(pipeline.as_of_ms)}`);
const jobsLink = (pipeline, filter) => `#/jobs?${new URLSearchParams({ pipeline, ...filter })}`;
const jobLink = (pipeline, id) => `#/job/${encodeURIComponent(pipeline)}/${encodeURIComponent(id)}`;

function draw() {
  const { parts } = route();
  const [section] = parts;
  const views = { undefined: overview, jobs: jobsView, job: jobView, logs: logsView, workers: workersView, plugins: pluginsView };
  const titles = { undefined: "Pipelines", jobs: "Jobs", job: `Job ${parts[2] ?? ""}`, logs: "Logs", workers: "Workers", plugins: "Plugins" };
  document.title = `${titles[section] ?? "Not found"} – CarbonTube`;
  for (const link of document.querySelectorAll("nav a")) {
    const isHere = link.getAttribute("href") === `#/${section === "job" ? "jobs" : section ?? ""}`;
    if (isHere) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  document.getElementById("enqueue-button").hidden = !state.session.may_change;
  document.getElementById("token-button").hidden = !state.session.needs_token;
  const view = state.live ? (views[section] ?? notFound)() : h("p", {}, "Loading…");
  morph(main, h("main", {}, view));
}

const notFound = () => h("p", {}, "There is no such page. ", h("a", { href: "#/" }, "Pipelines"));

// ---------- pipelines ----------

function overview() {
  const all = pipelines();
  if (!all.length) return [h("h1", {}, "Pipelines"), noCoordinator()];
  return [h("h1", {}, "Pipelines"), all.map(([name, pipeline]) => pipelineCard(name, pipeline))];
}

// Before any coordinator has answered there are addresses only.
function noCoordinator() {
  const problems = pipelines().map(([address, pipeline]) => `${pipeline.address ?? address}: ${pipeline.problem ?? "not reached yet"}`);
  return h("div", { class: "card" }, h("p", {}, "No coordinator has answered yet. Start one with ", h("code", {}, "carbontube pipeline LIB NAME"), "."),
    problems.map((text) => h("p", { class: "dim" }, text)));
}

function pipelineCard(name, pipeline) {
  const store = pipeline.store ?? {};
  return h("section", { class: `card${isLost(pipeline) ? " stale" : ""}`, "data-key": name, "aria-label": `Pipeline ${name}` },
    h("div", { class: "row spread" },
      h("div", { class: "row" }, h("h2", {}, name), badge(pipeline.state), asOf(pipeline), pipeline.paused && badge("paused"),
        store.state && store.state !== "open" && badge(store.state, ": store")),
      h("div", { class: "row" },
        pipeline.state === "connected" && action(pipeline.paused ? "resume" : "pause", pipeline.paused ? "Resume" : "Pause", { pipeline: name }))),
    h("p", { class: "dim" }, pipeline.address, store.address && ` · store ${store.address}`,
      pipeline.started_at_ms && ` · up since ${clock(pipeline.started_at_ms)}`,
      pipeline.phases && [" · ", h("a", { href: jobsLink(name, { state: "succeeded" }) }, `${number(pipeline.succeeded)} succeeded`),
        ` · ${number(pipeline.cancelled)} cancelled`]),
    pipeline.problem && h("p", { class: "trouble" }, pipeline.problem),
    store.problem && h("p", { class: "trouble" }, store.problem),
    deadWarning(pipeline),
    actionsOf(name, pipeline),
    h("ol", { class: "chain" }, phasesOf(pipeline).map((phase, index) => phaseCard(name, pipeline, phase, index))),
    pipeline.phases && charts(name, pipeline));
}

function deadWarning(pipeline) {
  const dead = phasesOf(pipeline).reduce((sum, phase) => sum + phase.dead, 0);
  const bytes = pipeline.dead_bytes ?? 0;
  if (dead <= 100_000 && bytes <= 2 ** 30) return null;
  return h("p", { class: "trouble" }, `${number(dead)} dead jobs`, bytes > 0 && ` take ${(bytes / 2 ** 20).toFixed(0)} MiB`,
    " and are kept until somebody requeues or deletes them.");
}

// What goes on in the background at all jobs of a filter.
const ACTING = { cancel: "Cancelling", requeue: "Requeueing", delete: "Deleting", count: "Counting" };
function actionsOf(name, pipeline) {
  return Object.values(pipeline?.actions ?? {}).filter((each) => each.state === "running" || state.started.has(each.action)).map((each) => {
    const isRunning = each.state === "running" && !isLost(pipeline);
    const done = `${counted(each.changed, "job", "jobs")} done, ${number(each.examined)} looked at`;
    return h("div", { class: "row action", role: "status", "data-key": `action-${each.action}` },
      h("b", {}, ACTING[each.verb] ?? each.verb), isRunning && h("progress", { "aria-label": `${ACTING[each.verb] ?? each.verb} in the background` }),
      h("span", {}, done), each.state !== "running" && badge(each.state), each.error && h("span", { class: "trouble" }, each.error),
      isRunning && action("stop", "Stop", { pipeline: name, id: each.action }, "danger"));
  });
}

// Workers of the phase that take no jobs, and why.
function troubleOf(pipeline, phase) {
  const others = Object.values(pipeline.workers ?? {}).filter((worker) => worker.job_type === phase.job_type
    && !["serving", "draining"].includes(worker.state));
  const groups = new Map();
  for (const worker of others) {
    const words = `${worker.state}${worker.reason ? `: ${worker.reason}` : ""}`;
    groups.set(words, (groups.get(words) ?? 0) + 1);
  }
  return [...groups].map(([words, count]) => `${counted(count, "worker is", "workers are")} ${words}`);
}

function phaseCard(name, pipeline, phase, index) {
  const count = (label, value, filter) => h("div", {}, h("dt", {}, label),
    h("dd", {}, h("a", { href: jobsLink(name, { phase: phase.job_type, state: filter }) }, number(value))));
  const runs = (state.history[name]?.steps ?? []).map((step) => step.phases[index]?.succeeded ?? 0);
  const ahead = Object.values(pipeline.workers ?? {}).reduce((sum, worker) => sum + (worker.job_type === phase.job_type ? aheadOf(worker) : 0), 0);
  const unserved = (phase.workers === 0 || phase.slots === 0) && phase.waiting > 0;
  const waiting = phase.waiting > 0 ? `; ${counted(phase.waiting, "job waits", "jobs wait")}` : "";
  const troubles = [phase.note ? phase.note + waiting : unserved && "nobody serves it: its jobs wait", ...troubleOf(pipeline, phase)].filter(Boolean);
  return h("li", { class: `phase${phase.bottleneck && !isLost(pipeline) ? " bottleneck" : ""}`, "data-key": String(index) },
    h("div", { class: "row spread" }, h("h3", {}, phase.job_type), h("span", { class: "row" },
      phase.bottleneck && !isLost(pipeline) && h("span", { class: "badge warn" }, "bottleneck"), phase.paused && badge("paused"))),
    h("dl", { class: "counts" }, count("queued", phase.waiting, "waiting"), count("running", phase.running, "running"),
      count("retrying", phase.delayed, "delayed"), count("dead", phase.dead, "dead")),
    h("p", {}, `${phase.per_second ?? 0}/s`, h("span", { class: "dim" }, ` · p50 ${duration(phase.p50_us)} · p99 ${duration(phase.p99_us)}`)),
    sparkline(runs, `Runs of ${phase.job_type} by minute, last ${state.minutes} minutes`),
    troubles.map((text) => h("p", { class: "trouble" }, text)),
    h("div", { class: "row spread" },
      h("span", { class: "dim" }, `${counted(phase.workers, "worker", "workers")}, ${counted(phase.slots, "slot", "slots")}${ahead ? `, ${number(ahead)} given ahead` : ""}`),
      pipeline.state === "connected" && action(phase.paused ? "resume" : "pause", phase.paused ? "Resume" : "Pause", { pipeline: name, phase: phase.job_type })));
}

function line(values, width, height, top) {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let pen = "M";
  return values.map((value, index) => {
    if (value === null) { pen = "M"; return ""; }
    const point = `${pen}${(index * step).toFixed(1)} ${(height - (value / (top || 1)) * (height - 4) - 2).toFixed(1)}`;
    pen = "L";
    return point;
  }).join(" ");
}

function sparkline(values, label) {
  return h("svg", { class: "spark", viewBox: "0 0 200 30", preserveAspectRatio: "none", role: "img", "aria-label": label },
    h("path", { d: values.length ? line(values, 200, 30, Math.max(...values)) : "M0 28 L200 28" }));
}

function charts(name, pipeline) {
  const history = state.history[name];
  if (!history) return null;
  const seconds = history.step_minutes * 60;
  const series = (pick) => phasesOf(pipeline).map((_, index) => history.steps.map((step) => pick(step.phases[index])));
  return [
    h("div", { class: "row" }, h("h3", {}, "From the stored metrics"),
      [[60, "Last hour"], [1440, "Last day"]].map(([minutes, label]) => h("button", {
        type: "button", class: "small", "data-action": "range", "data-minutes": minutes, "aria-pressed": String(state.minutes === minutes) }, label)),
      phasesOf(pipeline).map((phase, index) => h("span", { class: "key" },
        h("svg", { class: "swatch", viewBox: "0 0 10 2", "aria-hidden": "true" }, h("line", { class: `s${index % 6}`, x1: 0, x2: 10, y1: 1, y2: 1, "stroke-width": 2 })),
        phase.job_type))),
    h("div", { class: "charts" },
      chart("Runs per second", series((phase) => phase.succeeded / seconds), (value) => `${+value.toPrecision(2)}/s`, history),
      chart("Run time, p99", series((phase) => phase.latency_p99_us ?? null), duration, history),
      chart("Wait in the queue, p99", series((phase) => phase.wait_p99_us ?? null), duration, history),
      chart("Failures and crashes per step", series((phase) => phase.failed + phase.crashed), number, history)),
  ];
}

function chart(title, series, unit, history) {
  const top = Math.max(0, ...series.flat().filter((value) => value !== null));
  const first = history.steps[0]?.at_ms;
  return h("figure", { class: "figure" }, h("figcaption", {}, title, h("span", { class: "dim" }, ` – at most ${unit(top)}`)),
    h("svg", { class: "chart", viewBox: "0 0 600 160", preserveAspectRatio: "none", role: "img", "aria-label": `${title}, at most ${unit(top)}` },
      [0, 80, 159].map((y) => h("line", { x1: 0, x2: 600, y1: y, y2: y })),
      series.map((values, index) => h("path", { class: `s${index % 6}`, d: line(values, 600, 160, top) || "M0 158" }))),
    h("div", { class: "axis", "aria-hidden": "true" }, h("span", {}, first ? clock(first).slice(0, 16) : ""), h("span", {}, "now")));
}

// ---------- jobs ----------

const JOB_FIELDS = ["state", "phase", "error", "id_prefix", "since", "until", "containing"];
const LOG_FIELDS = ["phase", "level", "job"];
function currentFilter(fields = JOB_FIELDS) {
  const { query } = route();
  const name = query.get("pipeline") || pipelines().find(([, pipeline]) => pipeline.pipeline)?.[0] || "";
  const filter = new URLSearchParams();
  for (const field of fields) if (query.get(field)) filter.set(field, query.get(field));
  return { name, filter, cursor: query.get("cursor") };
}

const option = (value, label, chosen) => h("option", { value, selected: value === chosen }, label);
const pipelineField = (name) => h("label", {}, "Pipeline", h("select", { name: "pipeline" }, pipelines().map(([each]) => option(each, each, name))));
const phaseField = (pipeline, chosen) => h("label", {}, "Phase", h("select", { name: "phase" }, option("", "any", ""),
  [...new Set(phasesOf(pipeline ?? {}).map((phase) => phase.job_type))].map((type) => option(type, type, chosen))));

// Both bounds of a job's last change; what is none is refused by the server in words.
function changedFields(filter) {
  const field = (name, label) => h("label", {}, label, h("input", { name, value: filter.get(name) ?? "", list: "ages", placeholder: "any time", size: 22,
    autocomplete: "off", "aria-describedby": "times" }));
  return [field("since", "Last change not before"), field("until", "Last change not after"),
    h("datalist", { id: "ages" }, [["10m", "10 minutes ago"], ["1h", "1 hour ago"], ["1d", "1 day ago"], ["7d", "7 days ago"]].map(([value, label]) => h("option", { value }, label)))];
}
const timesHelp = () => h("p", { class: "dim", id: "times" }, "Times are how long ago (", h("code", {}, "10m"), ", ", h("code", {}, "2h"), ", ", h("code", {}, "7d"),
  ") or a date and time with its zone (", h("code", {}, "2030-01-31T12:00:00Z"), ").");

function jobsView() {
  const { name, filter, cursor } = currentFilter();
  const pipeline = state.live.pipelines[name];
  const page = state.jobs?.key === location.hash ? state.jobs : null;
  const acts = { filter: filter.toString(), pipeline: name };
  if (!name) return [h("h1", {}, "Jobs"), noCoordinator()];
  return [
    h("h1", {}, "Jobs"),
    h("form", { class: "filters", "data-form": "filter", role: "search", "aria-label": "Filter jobs", "data-key": location.hash },
      pipelineField(name),
      h("label", {}, "State", h("select", { name: "state" }, option("", "any", ""), STATES.map((word) => option(word, word, filter.get("state"))))),
      phaseField(pipeline, filter.get("phase")),
      h("label", {}, "Error contains", h("input", { name: "error", value: filter.get("error") ?? "" })),
      h("label", {}, "Id begins with", h("input", { name: "id_prefix", value: filter.get("id_prefix") ?? "" })),
      h("label", {}, "Instructions contain", h("input", { name: "containing", value: filter.get("containing") ?? "" })),
      changedFields(filter),
      h("button", { type: "submit" }, "Show"),
      filter.toString() && !filter.has("containing") && pipeline?.state === "connected" && [
        action("all", "Requeue all…", { ...acts, verb: "requeue" }), action("all", "Cancel all…", { ...acts, verb: "cancel" }),
        action("all", "Delete all…", { ...acts, verb: "delete" }, "danger")]),
    timesHelp(),
    isLost(pipeline) && h("p", { class: "trouble" }, pipeline.problem),
    actionsOf(name, pipeline),
    page?.trouble && h("p", { class: "trouble" }, page.trouble),
    page?.jobs && jobsTable(name, page),
    h("p", { class: "row" }, cursor && h("a", { href: jobsLink(name, Object.fromEntries(filter)) }, "Newest"),
      page?.next && !(page.looks < 0) && h("a", { href: jobsLink(name, { ...Object.fromEntries(filter), cursor: page.next }) }, page.jobs.length ? "Older" : "Go on")),
  ];
}

function jobsTable(name, { jobs, next, looks, examined }) {
  if (!jobs.length && next) {
    const seen = examined ? `${number(examined)} jobs` : counted(looks, "page", "pages");
    return h("p", { class: "card" }, looks < 0 ? "Looking…" : `Looked at ${seen}: no job is like that so far, and there are older ones.`);
  }
  if (!jobs.length) return h("p", { class: "card" }, "No job is like that.");
  return h("div", { class: "card scroll", tabindex: "0", role: "region", "aria-label": "Jobs" }, h("table", {}, h("caption", {}, "Newest first"),
    h("thead", {}, h("tr", {}, ["Id", "State", "Phase"].map((title) => h("th", { scope: "col" }, title)),
      h("th", { scope: "col", class: "number" }, "Attempts"),
      ["Enqueued", "Changed", "Error", "Actions"].map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", {}, jobs.map((job) => h("tr", { "data-key": job.id },
      h("td", { class: "mono" }, h("a", { href: jobLink(name, job.id) }, job.id)),
      h("td", {}, badge(job.state)), h("td", {}, job.job_type), h("td", { class: "number" }, number(job.attempts.length)),
      h("td", { title: clock(job.enqueued_at_ms) }, age(job.enqueued_at_ms)), h("td", { title: clock(job.updated_at_ms) }, age(job.updated_at_ms)),
      h("td", {}, job.error ? `${job.error.type}: ${job.error.message}`.slice(0, 200) : ""),
      h("td", { class: "row" }, jobActions(name, job)))))));
}

function jobActions(name, job) {
  const data = { pipeline: name, id: job.id };
  const isOver = ["succeeded", "dead", "cancelled"].includes(job.state);
  return [
    job.state === "dead" && action("requeue", "Requeue", data),
    !isOver && action("cancel", "Cancel", data),
    job.state !== "running" && action("delete", "Delete", data, "danger"),
  ];
}

function jobView() {
  const [, name, id] = route().parts;
  const job = state.job?.id === id && state.job.pipeline === name ? state.job : null;
  if (!job) return h("p", {}, "Loading…");
  if (job.trouble) return [h("h1", {}, "Job ", id), h("p", { class: "trouble" }, job.trouble)];
  const { document: record, instructions } = job;
  const fact = (title, ...value) => h("div", {}, h("dt", {}, title), h("dd", {}, value));
  return [
    h("div", { class: "row spread" }, h("h1", {}, "Job ", h("code", {}, id)), h("div", { class: "row" }, jobActions(name, record))),
    h("section", { class: "card", "aria-label": "State" },
      h("div", { class: "row" }, badge(record.state), h("span", {}, `in phase ${record.phase + 1}: ${record.job_type}`, record.worker && [" at ", h("code", {}, record.worker)])),
      record.state === "running" && record.progress !== undefined && h("p", { class: "row" },
        h("progress", { max: 1, value: record.progress, "aria-label": "Progress" }), h("span", {}, `${Math.round(record.progress * 100)} %`), record.progress_note && h("span", {}, record.progress_note)),
      h("dl", { class: "facts" }, fact("Pipeline", h("a", { href: "#/" }, name)), fact("Enqueued", clock(record.enqueued_at_ms)), fact("Changed", clock(record.updated_at_ms)),
        record.due_at_ms && fact("Due", clock(record.due_at_ms)), fact("Priority", number(record.priority)),
        fact("Failures in this phase", number(record.failures)), fact("Crashes in this phase", number(record.crashes)))),
    record.error && h("section", { class: "card", "aria-label": "Error" }, h("h2", {}, record.error.type), h("p", {}, record.error.message),
      record.error.location && h("p", { class: "dim" }, record.error.location),
      record.error.stderr_tail && [h("h3", {}, "Last lines on stderr"), h("pre", { tabindex: "0" }, record.error.stderr_tail)]),
    timeline(record),
    h("section", { class: "card", "aria-label": "Instructions" }, h("h2", {}, "Instructions now"),
      h("p", { class: "dim" }, "As enqueued, with the results of the phases so far merged in."), h("pre", { tabindex: "0" }, instructions)),
    job.changes.length > 0 && h("section", { class: "card", "aria-label": "Changes" }, h("h2", {}, "What each phase made of them"),
      job.changes.map(({ type, before, after }) => h("div", { class: "change" }, h("h3", {}, type),
        h("figure", { class: "figure" }, h("figcaption", { class: "dim" }, "before"), h("pre", { tabindex: "0" }, before)),
        h("figure", { class: "figure" }, h("figcaption", { class: "dim" }, "after"), h("pre", { tabindex: "0" }, after))))),
    record.log?.length > 0 && h("section", { class: "card", "aria-label": "Log" }, h("h2", {}, "Log"),
      h("ul", { class: "log" }, record.log.map((entry) => h("li", {}, h("span", { class: "dim mono" }, clock(entry.at_ms).slice(11, 19), " "), badge(entry.level), " ", entry.text)))),
  ];
}

function timeline(record) {
  return h("section", { class: "card scroll", tabindex: "0", "aria-label": "Attempts" }, h("table", {}, h("caption", {}, "Attempts, oldest first"),
    h("thead", {}, h("tr", {}, ["Phase", "Attempt", "Outcome", "Began", "Took", "Worker", "Build"].map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", {}, record.attempts.map((attempt) => h("tr", {},
      h("td", {}, attempt.job_type), h("td", {}, number(attempt.number)), h("td", {}, badge(attempt.outcome)), h("td", {}, clock(attempt.started_at_ms)),
      h("td", {}, attempt.started_at_ms ? `${number(Math.max(0, attempt.ended_at_ms - attempt.started_at_ms))} ms` : "–"),
      h("td", { class: "mono" }, attempt.worker), h("td", { class: "mono" }, attempt.plugin))))));
}

// ---------- logs ----------

const LEVELS = ["debug", "info", "warning", "error"];
const KEPT_LINES = 500;

function logsView() {
  const { name, filter } = currentFilter(LOG_FIELDS);
  const pipeline = state.live.pipelines[name];
  const page = state.logs?.key === location.hash ? state.logs : null;
  if (!name) return [h("h1", {}, "Logs"), noCoordinator()];
  return [
    h("h1", {}, "Logs"),
    h("form", { class: "filters", "data-form": "logs", role: "search", "aria-label": "Filter lines", "data-key": location.hash },
      pipelineField(name), phaseField(pipeline, filter.get("phase")),
      h("label", {}, "At least", h("select", { name: "level" }, LEVELS.map((level) => option(level, level, filter.get("level"))))),
      h("label", {}, "Job", h("input", { name: "job", value: filter.get("job") ?? "" })),
      h("button", { type: "submit" }, "Show")),
    isLost(pipeline) && h("p", { class: "trouble" }, pipeline.problem),
    page?.trouble && h("p", { class: "trouble" }, page.trouble),
    page?.lines && logLines(name, page),
  ];
}

function logLines(name, { lines }) {
  if (!lines.length) return h("p", { class: "card" }, "Nothing like that was logged since the coordinator's start, or it was forgotten: the last 4 MiB are kept.");
  return h("section", { class: "card", "aria-label": "Lines" }, h("p", { class: "dim" }, "Newest first, as phases log and jobs fail"),
    h("ul", { class: "log" }, lines.toReversed().map((line) => h("li", { "data-key": line.key }, h("span", { class: "dim mono" }, clock(line.at_ms), " "), badge(line.level), " ",
      line.attempt === undefined && line.phase && `${line.phase} `, line.job && [h("a", { href: jobLink(name, line.job) }, line.job), " "], line.text))));
}

// ---------- workers and plugins ----------

/** At most one job runs in each slot; a worker is given the next ones ahead of time, so that no slot waits. */
function aheadOf(worker) { return Math.max(0, worker.in_flight - worker.concurrency); }

function atWork(worker) {
  const ahead = aheadOf(worker);
  return ahead ? h("span", { title: "given ahead of time, run next" }, `${number(worker.concurrency)}, ${number(ahead)} next`) : number(worker.in_flight);
}

function workersView() {
  const rows = pipelines().flatMap(([name, pipeline]) => Object.values(pipeline.workers ?? {}).map((worker) => ({ name, pipeline, worker })));
  if (!rows.length) return [h("h1", {}, "Workers"), h("p", { class: "card" }, "No worker is here. Start one with ", h("code", {}, "carbontube phase LIB JOB_TYPE"), ".")];
  return [h("h1", {}, "Workers"), h("div", { class: "card scroll", tabindex: "0", role: "region", "aria-label": "Workers" }, h("table", {},
    h("caption", {}, counted(rows.length, "worker", "workers")),
    h("thead", {}, h("tr", {}, ["Host", "Pid", "Phase", "State", "Pipeline", "Plugin", "Build"].map((title) => h("th", { scope: "col" }, title)),
      ["Slots", "At work", "Succeeded", "Failed", "Heartbeat"].map((title) => h("th", { scope: "col", class: "number" }, title)), h("th", { scope: "col" }, "Actions"))),
    h("tbody", {}, rows.map(({ name, pipeline, worker }) => h("tr", { "data-key": worker.id, class: isLost(pipeline) && "stale" },
      h("td", {}, worker.host), h("td", {}, worker.pid), h("td", {}, worker.job_type), h("td", {}, isLost(pipeline) ? h("span", { class: "badge" }, `was ${worker.state}`) : badge(worker.state),
        worker.reason && h("div", { class: "trouble" }, worker.reason)), h("td", {}, name),
      h("td", {}, worker.plugin_file), h("td", { class: "mono" }, worker.plugin),
      h("td", { class: "number" }, number(worker.concurrency)), h("td", { class: "number" }, atWork(worker)),
      [worker.succeeded, worker.failed].map((value) => h("td", { class: "number" }, number(value))),
      h("td", { class: "number" }, isLost(pipeline) ? h("span", { title: clock(pipeline.as_of_ms) }, `as of ${clock(pipeline.as_of_ms).slice(11, 19)}`) : worker.heartbeat_age_s ? `${worker.heartbeat_age_s} s ago` : "now"),
      h("td", {}, worker.state === "serving" && pipeline.state === "connected" && action("drain", "Drain", { pipeline: name, worker: worker.id })))))))];
}

function pluginsView() {
  const plugins = Object.entries(state.live.plugins ?? {});
  if (!plugins.length) return [h("h1", {}, "Plugins"), h("p", { class: "card" }, "No plugin lies in the folders that this server looks at (", h("code", {}, "--plugin-dir"), ").")];
  return [h("h1", {}, "Plugins"), h("p", { class: "dim" }, "On the machine of this page. Workers elsewhere have their own."),
    plugins.map(([file, plugin]) => h("section", { class: "card", "data-key": file, "aria-label": file },
      h("div", { class: "row spread" }, h("div", { class: "row" }, h("h2", {}, file), badge(plugin.state.word)),
        plugin.state.word === "quarantined" && action("release", "Release", { sha: plugin.sha256 })),
      plugin.problem && h("p", { class: "trouble" }, plugin.problem),
      quarantineOf(plugin),
      plugin.state.stderr && h("pre", { tabindex: "0" }, plugin.state.stderr),
      h("p", { class: "dim" }, [plugin.id, plugin.version, plugin.build, plugin.abi && `ABI ${plugin.abi}`].filter(Boolean).join(" · "),
        plugin.sha256 && [" · ", h("code", {}, plugin.sha256.slice(0, 12))]),
      plugin.summary && h("p", {}, plugin.summary),
      h("ul", {}, plugin.pipelines.map((pipeline) => h("li", {}, "pipeline ", h("b", {}, pipeline.name), pipeline.summary && ` – ${pipeline.summary}`)),
        plugin.phases.map((phase) => h("li", {}, "phase ", h("b", {}, phase.job_type), phase.summary && ` – ${phase.summary}`,
          [["input", phase.input_schema], ["output", phase.output_schema]].map(([title, schema]) => schema &&
            h("details", {}, h("summary", {}, `${title} schema`), h("pre", { tabindex: "0" }, pretty(schema)))))))))];
}

function quarantineOf({ sha256, state: { word, since, reason } }) {
  if (word !== "quarantined") return null;
  const released = Number(sessionStorage.getItem(`released:${sha256}`) ?? 0);
  const again = released && since > released;
  return h("p", { class: "trouble" }, `${again ? `Released ${clock(released)}, and in quarantine again` : "In quarantine"} since ${clock(since)}`, reason && `: ${reason}`, ".",
    again && " The jobs that crash it still wait: cancel or delete them before it is released.");
}

function pretty(json) {
  try { return JSON.stringify(JSON.parse(json), null, 2); } catch { return json; }
}

// Indents JSON text without parsing its numbers: 1e400 and 0.10 stay what they are.
function indented(json) {
  let depth = 0, inString = false, result = "";
  for (let index = 0; index < json.length; index += 1) {
    const sign = json[index];
    if (inString) {
      result += sign;
      if (sign === "\\") result += json[++index] ?? "";
      else if (sign === '"') inString = false;
    } else if (sign === '"') { inString = true; result += sign; }
    else if (sign === "{" || sign === "[") { depth += 1; result += `${sign}\n${"  ".repeat(depth)}`; }
    else if (sign === "}" || sign === "]") { depth -= 1; result = `${result.trimEnd()}\n${"  ".repeat(depth)}${sign}`; }
    else if (sign === ",") result += `,\n${"  ".repeat(depth)}`;
    else if (sign === ":") result += ": ";
    else if (!/\s/.test(sign)) result += sign;
  }
  return result;
}

// The members of an object, or the elements of a list, as the texts that they are.
function parts(json) {
  const found = {};
  let depth = 0, inString = false, begin = 1, name = null, count = 0;
  const end = (at) => {
    const text = json.slice(begin, at).trim();
    if (text) found[name ?? count] = text;
    count += 1;
    name = null;
    begin = at + 1;
  };
  for (let index = 0; index < json.length; index += 1) {
    const sign = json[index];
    if (inString) {
      if (sign === "\\") index += 1;
      else if (sign === '"') inString = false;
    } else if (sign === '"') inString = true;
    else if (sign === "{" || sign === "[") depth += 1;
    else if (sign === "}" || sign === "]") { depth -= 1; if (depth === 0) end(index); }
    else if (depth === 1 && sign === ",") end(index);
    else if (depth === 1 && sign === ":") { name = JSON.parse(json.slice(begin, index)); begin = index + 1; }
  }
  return found;
}

// ---------- what is fetched ----------

async function refresh() {
  const { parts: [section, name, id] } = route();
  if (section === "jobs") await loadJobs();
  if (section === "job") await loadJob(name, id);
  if (section === "logs") await loadLogs();
  if (section === undefined) await loadHistory();
  draw();
}

// One look goes through so many jobs, whether they match or not: where none does, the next ones are looked at, for a
// while.
const LOOKS = 20;
async function loadJobs() {
  const key = location.hash;
  const { name, filter, cursor } = currentFilter();
  if (!name) return;
  if (cursor) filter.set("cursor", cursor);
  let examined = 0;
  const begun = Date.now();
  try {
    for (let looks = 1; ; looks += 1) {
      const { body } = await ask(`${path("pipelines", name, "jobs")}?${filter}`);
      if (key !== location.hash) return;
      examined += body.examined ?? 0;
      const isOver = body.jobs.length > 0 || !body.next || looks === LOOKS || Date.now() - begun > 5000;
      if (isOver || state.jobs?.key !== key) state.jobs = { key, ...body, examined, looks: isOver ? looks : -1 };
      if (isOver) return;
      draw();
      filter.set("cursor", body.next);
    }
  } catch (error) { if (key === location.hash) state.jobs = { key, trouble: error.message }; }
}

async function loadJob(pipeline, id) {
  try {
    const { body, text } = await ask(jobPath(pipeline, id));
    const raw = parts(text);
    const changes = Object.values(parts(raw.changes)).map(parts).map((change) =>
      ({ type: JSON.parse(change.job_type), before: indented(change.before), after: indented(change.after) }));
    state.job = { pipeline, id, document: body, instructions: indented(raw.instructions), changes };
  } catch (error) { state.job = { pipeline, id, trouble: error.message }; }
}

// The last lines at first, then those that have come since; all of them anew where the coordinator was started again.
async function loadLogs() {
  const key = location.hash;
  const { name, filter } = currentFilter(LOG_FIELDS);
  if (!name) return;
  const before = state.logs?.key === key && state.logs.lines ? state.logs : null;
  const read = async (after) => (await ask(`${path("pipelines", name, "logs")}?${new URLSearchParams([...filter, ...after])}`)).body;
  try {
    let page = await read(before ? [["after", before.next], ["limit", 1000]] : []);
    const goesOn = before && page.coordinator === before.coordinator;
    if (before && !goesOn) page = await read([]);
    if (key !== location.hash) return;
    const fresh = page.lines.map((line, index) => ({ ...line, key: `${page.next}-${index}` }));
    state.logs = { key, next: page.next, coordinator: page.coordinator, lines: [...(goesOn ? before.lines : []), ...fresh].slice(-KEPT_LINES) };
  } catch (error) { if (key === location.hash) state.logs = { ...before, key, trouble: error.message }; }
}

async function loadHistory() {
  const step = state.minutes > 60 ? 15 : 1;
  await Promise.all(pipelines().filter(([, pipeline]) => pipeline.state === "connected").map(async ([name]) => {
    try { state.history[name] = (await ask(`${path("pipelines", name, "metrics")}?minutes=${state.minutes}&step=${step}`)).body; } catch { /* the next one may come */ }
  }));
}

let refreshing = false;
setInterval(async () => {
  const { parts: [section], query } = route();
  // An older page stands still, so that it can be read.
  if (refreshing || document.hidden || !["jobs", "job", "logs"].includes(section) || query.get("cursor")) return;
  // And so does one for which many jobs were looked at.
  if (section === "jobs" && state.jobs?.key === location.hash && state.jobs.looks > 1) return;
  refreshing = true;
  try { await refresh(); } finally { refreshing = false; }
}, 1000);
setInterval(() => { if (!document.hidden && route().parts[0] === undefined) refresh(); }, 10000);

// ---------- acting ----------

function note(text, isBad = false, link) {
  // A dialog lies above all else.
  if (isBad && dialog.open) return dialogTrouble(text);
  const element = h("div", { class: `note${isBad ? " bad" : ""}` }, text, link && [" ", h("a", { href: link }, "Show it")]);
  document.getElementById("notes").append(element);
  setTimeout(() => element.remove(), isBad ? 15000 : 6000);
}

async function act(words, url, options) {
  try {
    const { body } = await ask(url, options);
    if (body.action) state.started.add(body.action);
    note(words(body));
    await refresh();
  } catch (error) { note(error.message, true); }
}

const dialog = document.getElementById("dialog");
function open(title, content, label, submit) {
  dialog.replaceChildren(h("form", { "data-form": "dialog" }, h("h2", { id: "dialog-title" }, title), content,
    h("p", { class: "trouble", id: "dialog-trouble", role: "alert" }),
    h("div", { class: "row" }, h("button", { type: "submit", class: "primary" }, label), h("button", { type: "button", "data-action": "close" }, "Back"))));
  dialog.submit = submit;
  dialog.showModal();
}

function dialogTrouble(text, field) {
  document.getElementById("dialog-trouble").textContent = text;
  for (const each of dialog.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  if (!field) return;
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

function askForToken() {
  if (dialog.open) dialog.close();
  open("The server's token", h("div", { class: "fields" }, h("p", {}, "Whoever changes something must know the token of the server's --token-file. It is kept until this tab is closed."),
    h("label", {}, "Token", h("input", { name: "token", type: "password", autocomplete: "off", required: true }))), "Keep",
  (form) => { sessionStorage.setItem("token", form.get("token").trim()); dialog.close(); note("Kept. Do it again now."); });
}

// How many match. Many are counted in the background; after a while those that were found so far have to do.
async function countOf(pipeline, filter) {
  const { body, status } = await ask(`${path("pipelines", pipeline, "job-count")}?${filter}`);
  if (status !== 202) return { count: body.count, more: body.more };
  const counting = path("pipelines", pipeline, "actions", body.action);
  let found = body;
  for (let looks = 0; looks < 10 && found.state === "running"; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    found = (await ask(counting)).body;
  }
  if (found.state === "running") await ask(counting, { method: "DELETE" });
  return { count: found.changed, more: found.state !== "done" };
}

// An age becomes the time that it means now: what was counted is what is done, however long the question stands there.
const AGE_UNITS = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
function withFixedTimes(filter) {
  return Object.fromEntries([...new URLSearchParams(filter)].map(([name, value]) => {
    const age = ["since", "until"].includes(name) && /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(value.trim());
    return [name, age ? new Date(Date.now() - age[1] * AGE_UNITS[age[2] || "s"]).toISOString() : value];
  }));
}
const MEANING = {
  state: (value) => `in state ${value}`, phase: (value) => `in phase ${value}`, error: (value) => `whose error contains “${value}”`,
  id_prefix: (value) => `whose id begins with ${value}`,
  since: (value) => `last changed at ${clock(Date.parse(value))} or later`, until: (value) => `last changed at ${clock(Date.parse(value))} or before`,
};

async function confirmAll({ pipeline, filter, verb }) {
  try {
    const members = withFixedTimes(filter);
    const { count, more } = await countOf(pipeline, new URLSearchParams(members));
    const many = `${number(count)}${more ? " or more" : ""}`;
    const word = `${verb[0].toUpperCase()}${verb.slice(1)}`;
    open(`${word} ${many} ${count === 1 ? "job" : "jobs"}?`, h("div", { class: "fields" },
      h("p", {}, `All jobs of ${pipeline} ${Object.entries(members).map(([name, value]) => MEANING[name](value)).join(", ")}, as far as they can. `
        + "More than 1,000 are worked off in the background, and that can be stopped.")),
    `${word} ${many}`, async () => {
      dialog.close();
      await act((answer) => answer.action ? `${ACTING[verb]} goes on in the background; its progress is shown here.`
        : `${counted(Object.values(answer)[0], "job", "jobs")}: ${Object.keys(answer)[0]}`, path("pipelines", pipeline, "actions"),
      { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ verb, filter: members }) });
    });
  } catch (error) { note(error.message, true); }
}

// The schema of the first phase's input, where a plugin here has one.
function inputSchema(pipeline) {
  const type = phasesOf(state.live.pipelines[pipeline] ?? {})[0]?.job_type;
  for (const plugin of Object.values(state.live.plugins ?? {})) {
    const text = plugin.phases.find((phase) => phase.job_type === type)?.input_schema;
    try { if (text) return JSON.parse(text); } catch { /* not one that a form can be made of */ }
  }
  return null;
}

function schemaField(name, schema, required) {
  const label = [schema.title ?? name, required && " (required)"];
  const help = schema.description && h("span", { class: "dim" }, schema.description);
  const value = schema.default ?? schema.examples?.[0];
  const common = { name: `field:${name}`, "data-type": schema.enum ? "enum" : schema.type ?? "json", required };
  if (schema.enum) return h("label", {}, label, h("select", common, !required && h("option", { value: "" }, ""), schema.enum.map((each) => h("option", { value: JSON.stringify(each) }, String(each)))), help);
  if (schema.type === "boolean") return h("label", {}, label, h("select", common, ["", "true", "false"].map((each) => h("option", { value: each }, each))), help);
  if (schema.type === "integer" || schema.type === "number") {
    return h("label", {}, label, h("input", { ...common, type: "number", step: schema.type === "integer" ? 1 : "any", min: schema.minimum, max: schema.maximum, value }), help);
  }
  return h("label", {}, label, h("input", { ...common, value: typeof value === "object" ? JSON.stringify(value) : value }), help);
}

function enqueueDialog(chosen, asText) {
  const names = pipelines().filter(([, pipeline]) => pipeline.pipeline).map(([name]) => name);
  if (!names.length) return note("No coordinator answers.", true);
  const name = names.includes(chosen) ? chosen : names.includes(currentFilter().name) ? currentFilter().name : names[0];
  const schema = inputSchema(name);
  const properties = Object.entries(schema?.properties ?? {});
  const useForm = properties.length > 0 && !asText;
  if (dialog.open) dialog.close();
  open("Enqueue a job", h("div", { class: "fields" },
    h("label", {}, "Pipeline", h("select", { name: "pipeline", "data-change": "enqueue-pipeline" }, names.map((each) => h("option", { value: each, selected: each === name }, each)))),
    useForm ? properties.map(([field, each]) => schemaField(field, each, (schema.required ?? []).includes(field)))
      : h("label", {}, "Instructions, a JSON object", h("textarea", { name: "json", required: true, spellcheck: "false" }, "{}")),
    properties.length > 0 && h("button", { type: "button", class: "small", "data-action": "enqueue-mode", "data-pipeline": name, "data-text": String(useForm) }, useForm ? "As JSON text" : "As a form"),
    h("label", {}, "Priority, -8 to 7", h("input", { name: "priority", type: "number", min: -8, max: 7, value: 0 })),
    h("label", {}, "Delay in seconds", h("input", { name: "delay", "data-parameter": "delay_seconds", type: "number", min: 0, max: 3155760000, value: 0 }))),
  "Enqueue", enqueue);
}

class FieldError extends Error {
  constructor(message, field) { super(message); this.field = field; }
}

function instructionsOf(form) {
  if (form.has("json")) {
    const field = dialog.querySelector("[name='json']");
    let value;
    try { value = JSON.parse(field.value); } catch (error) { throw new FieldError(`The instructions are not JSON: ${error.message}`, field); }
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw new FieldError("The instructions are JSON, but not an object {…}.", field);
    return field.value;
  }
  const result = {};
  for (const field of dialog.querySelectorAll("[name^='field:']")) {
    if (field.value === "") continue;
    const type = field.dataset.type;
    const name = field.name.slice(6);
    if (type === "string") { result[name] = field.value; continue; }
    try { result[name] = JSON.parse(field.value); } catch { throw new FieldError(`${name} must be JSON of type ${type}.`, field); }
  }
  return JSON.stringify(result);
}

async function enqueue(form) {
  let body;
  try { body = instructionsOf(form); } catch (error) { return dialogTrouble(error.message, error.field); }
  const name = form.get("pipeline");
  const query = new URLSearchParams({ priority: form.get("priority") || 0, delay_seconds: form.get("delay") || 0 });
  try {
    const answer = await ask(`${path("pipelines", name, "jobs")}?${query}`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    dialog.close();
    note(`Job ${answer.body.id} is stored.`, false, jobLink(name, answer.body.id));
    location.hash = jobLink(name, answer.body.id);
  } catch (error) {
    const field = [...dialog.querySelectorAll("[name]")].find((each) => error.message.includes(`'${each.dataset.parameter ?? each.name}'`));
    note(error.message, true);
    if (field) dialogTrouble(error.message, field);
  }
}

const actions = {
  skip: () => main.focus(),
  theme: () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark", true),
  token: askForToken,
  close: () => dialog.close(),
  enqueue: () => enqueueDialog(),
  "enqueue-mode": ({ pipeline, text }) => enqueueDialog(pipeline, text === "true"),
  range: async ({ minutes }) => { state.minutes = Number(minutes); await refresh(); },
  pause: ({ pipeline, phase }) => pausing("pause", pipeline, phase),
  resume: ({ pipeline, phase }) => pausing("resume", pipeline, phase),
  drain: ({ pipeline, worker }) => act(() => `${worker} drains: it finishes what runs, then ends.`, path("pipelines", pipeline, "workers", worker, "drain"), { method: "POST" }),
  release: ({ sha }) => act(() => {
    sessionStorage.setItem(`released:${sha}`, Date.now());
    return `Build ${sha.slice(0, 12)} may run again, until jobs crash it again.`;
  }, path("plugins", sha, "release"), { method: "POST" }),
  requeue: ({ pipeline, id }) => act(() => `Job ${id} is tried again.`, jobPath(pipeline, id, "requeue"), { method: "POST" }),
  cancel: ({ pipeline, id }) => act(() => `Job ${id} is cancelled.`, jobPath(pipeline, id, "cancel"), { method: "POST" }),
  stop: ({ pipeline, id }) => act((answer) => `Stopped after ${counted(answer.changed, "job", "jobs")}.`, path("pipelines", pipeline, "actions", id), { method: "DELETE" }),
  delete: ({ pipeline, id }) => open(`Delete job ${id}?`, h("p", {}, "Nothing of it is kept."), "Delete", async () => {
    dialog.close();
    await act(() => `Job ${id} is deleted.`, jobPath(pipeline, id), { method: "DELETE" });
  }),
  all: confirmAll,
};

function pausing(verb, pipeline, phase) {
  const query = phase ? `?${new URLSearchParams({ phase })}` : "";
  return act(() => `${phase ?? pipeline}: ${verb}d`, path("pipelines", pipeline, verb) + query, { method: "POST" });
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-action]");
  if (!target) return;
  if (target.tagName === "A") event.preventDefault();
  actions[target.dataset.action]?.(target.dataset);
});
document.addEventListener("change", (event) => {
  if (event.target.dataset.change === "enqueue-pipeline") enqueueDialog(event.target.value);
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  if (event.target.dataset.form === "dialog") return dialog.submit(form);
  const filter = Object.fromEntries([...form].filter(([, value]) => value));
  const { pipeline, ...rest } = filter;
  location.hash = event.target.dataset.form === "logs" ? `#/logs?${new URLSearchParams(filter)}` : jobsLink(pipeline, rest);
});
window.addEventListener("hashchange", () => { window.scrollTo(0, 0); draw(); refresh(); });

function setTheme(theme, isChosen) {
  document.documentElement.dataset.theme = theme;
  document.getElementById("theme-button").textContent = theme === "dark" ? "Light" : "Dark";
  if (isChosen) localStorage.setItem("theme", theme);
}
const system = matchMedia("(prefers-color-scheme: dark)");
const followSystem = () => { if (!localStorage.getItem("theme")) setTheme(system.matches ? "dark" : "light"); };
system.addEventListener("change", followSystem);
setTheme(localStorage.getItem("theme") ?? (system.matches ? "dark" : "light"));

ask("/api/v1/session").then(({ body }) => { state.session = body; draw(); }, () => {});
heardAt = Date.now();
listen();
