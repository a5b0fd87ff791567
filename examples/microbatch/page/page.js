// SPDX-License-Identifier: MIT
// Asks for the insights again and again, and shows the newest there are: also while nobody writes any, or nobody answers.

const EVERY = 2000; // ms between two questions
const LATE = Number(new URLSearchParams(location.search).get("late")) || 180; // seconds: on AWS a batch comes each minute
const SVG = "http://www.w3.org/2000/svg";

const at = (id) => document.getElementById(id);
const count = (value) => Math.round(value).toLocaleString("en");
const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);

let shown = null; // the insights
let ahead = 0; // ms by which this machine's clock is ahead of the server's
let problem = ""; // why the last question had no answer

function duration(seconds) {
  if (seconds < 120) return `${Math.max(0, Math.floor(seconds))} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

function showAge() {
  const place = at("age");
  const seconds = shown && (Date.now() - ahead) / 1000 - shown.written_at;
  let state = "waiting";
  let text = "No insights yet";
  if (shown) {
    state = seconds > LATE ? "late" : "fresh";
    text = `Insights of ${duration(seconds)} ago` + (state === "late" ? ": nothing new is being written" : "");
  }
  if (problem) [state, text] = ["away", `${text}. No answer (${problem}), asking again`];
  place.dataset.state = state;
  if (place.textContent !== text) place.textContent = text;
}

function path(kind, d) {
  const made = document.createElementNS(SVG, "path");
  made.setAttribute("class", kind);
  made.setAttribute("d", d);
  return made;
}

function showTimeline(points) {
  const chart = at("timeline");
  const first = points.length ? points[0][0] : 0;
  const last = points.length ? points[points.length - 1][0] : 1;
  const top = points.reduce((most, point) => Math.max(most, point[1], point[3] ?? 0), 1) * 1.05;
  const odd = points.filter((point) => point[4]);
  const x = (seconds) => (((seconds - first) / Math.max(last - first, 1)) * 1000).toFixed(1);
  const y = (value) => ((1 - value / top) * 200).toFixed(1);
  const usual = points.filter((point) => point[3] !== null);
  chart.setAttribute("viewBox", "-5 -5 1010 210");
  const line = (list, column) => list.map((point) => `${x(point[0])} ${y(point[column])}`).join("L");
  chart.replaceChildren(
    ...(usual.length ? [path("usual", `M${x(usual[0][0])} 200L${line(usual, 3)}L${x(usual[usual.length - 1][0])} 200Z`)] : []),
    ...(points.length ? [path("line", `M${line(points, 1)}`)] : []),
    path("mark", odd.map((point) => `M${x(point[0])} ${y(point[1])}h0`).join("")),
  );
  chart.setAttribute("aria-label", `${points.length} seconds, ${odd.length} of them odd, up to ${count(top / 1.05)} requests a second`);
  at("span").textContent = points.length ? `${clock(first)} to ${clock(last)} UTC, up to ${count(top / 1.05)} a second` : "";
}

function row(cells) {
  const made = document.createElement("tr");
  for (const text of cells) made.appendChild(document.createElement("td")).textContent = text;
  return made;
}

function show(insights) {
  const { timeline, clients } = insights;
  at("stage").textContent = insights.stage;
  at("now").textContent = timeline.length ? count(timeline[timeline.length - 1][1]) : "–";
  at("odd").textContent = count(insights.anomalies);
  at("watched").textContent = count(insights.watched_clients);
  at("batches").textContent = count(insights.totals.batches);
  at("rejected").textContent = count(insights.totals.rejected);
  showTimeline(timeline);
  at("clients").replaceChildren(
    ...clients.map((one) =>
      row([one.client, count(one.seconds), count(one.requests), count(one.peak), one.usual === null ? "–" : one.usual.toFixed(1), clock(one.last)]),
    ),
  );
  at("clients").closest("table").hidden = clients.length === 0;
  at("none").hidden = clients.length > 0;
  const notes = [...insights.notes, ...insights.errors.map((one) => `line ${one.line}: ${one.error}`)];
  at("notes").replaceChildren(...notes.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  at("problems").hidden = notes.length === 0;
  const { threshold, window } = insights.settings;
  at("foot").textContent = `Revision ${insights.revision}, batch ${insights.batch}. Odd: ${threshold} standard deviations above the last ${window}.`;
}

async function ask() {
  try {
    const answer = await fetch("/insights/latest.json", { cache: "no-cache", signal: AbortSignal.timeout(10000) });
    if (answer.ok) {
      const insights = await answer.json();
      const date = Date.parse(answer.headers.get("Date"));
      ahead = date ? Date.now() - date : 0;
      if (insights.revision !== shown?.revision) show(insights);
      shown = insights;
    }
    const none = shown === null && [403, 404].includes(answer.status); // 403: CloudFront's, for what is not in the bucket
    problem = answer.ok || none ? "" : `status ${answer.status}`;
  } catch (error) {
    problem = { TimeoutError: "after 10 s", SyntaxError: "not insights" }[error.name] ?? "not reached";
  }
  showAge();
  setTimeout(ask, EVERY);
}

setInterval(showAge, 1000);
ask();
