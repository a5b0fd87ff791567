// SPDX-License-Identifier: MIT
// What the server is asked, and the one place that knows the shapes of its answers: "Messages" in ../../README.md.

import { byId } from "./dom.js";

export const GONE = {}; // what is asked for is not there, or no longer
let key = sessionStorage.getItem("key") ?? "",
    changed = () => {};

const headers = () => (key ? { "X-API-Key": key } : {});
const nothing = (x) => (typeof x === "number" && Number.isFinite(x) ? x : null); // JSON has no infinity: null

const point = ([time, value, expected, lower, upper, odd]) => ({
    time,
    value,
    expected,
    lower,
    upper,
    odd,
    score: null,
});

export const anomaly = (a) => ({
    id: a.anomaly_id,
    metric: a.metric,
    value: a.value,
    time: a.timestamp,
    lower: a.lower,
    upper: a.upper,
    score: a.detection_method === "z-score" ? a.z_score : null, // others do not count in spreads
    direction: a.direction,
    odd: true,
});

async function get(path, parameters) {
    // null: the connection's state is told elsewhere
    const query = new URLSearchParams(parameters);
    try {
        const answer = await fetch(`${path}?${query}`, { headers: headers() });
        if (answer.status === 401) askForKey();
        if (answer.status === 404) return GONE;
        return answer.ok ? await answer.json() : null;
    } catch {
        return null;
    }
}

export async function metrics(search, limit) {
    const answer = await get("metrics", { search, limit });
    return (
        answer && {
            total: answer.count,
            list: answer.metrics.map((m) => ({
                name: m.metric,
                value: m.last,
                time: m.timestamp,
                anomalies: m.anomalies,
            })),
        }
    );
}

// The points of a metric that came after those of an earlier answer; after 0: all that the server still has.
export async function series(metric, after) {
    const answer = await get("series", { metric, after });
    return answer && answer !== GONE ? { next: answer.next, points: answer.points.map(point) } : answer;
}

export async function anomalies(limit) {
    // oldest first
    const answer = await get("anomalies", { limit });
    return answer ? answer.anomalies.map(anomaly).reverse() : [];
}

export const health = () => get("health", {});

export function socketAddress() {
    const address = new URL("ws/anomalies", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.hash = "";
    if (key) address.searchParams.set("api_key", key);
    return [address.href, []];
}

// One file. The answer: { status, accepted, rejected, errors } or { status, reason }, and retryAfter with status 429.
export function send(file, progress) {
    return new Promise((done) => {
        const request = new XMLHttpRequest(); // fetch tells no progress
        request.open("POST", "upload");
        for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
        request.upload.addEventListener(
            "progress",
            (event) => event.lengthComputable && progress(event.loaded / event.total),
        );
        request.addEventListener("load", () => done(outcome(request)));
        request.addEventListener("error", () =>
            done({ status: 0, reason: "The connection broke: the server may be down, or the file too large." }),
        );
        const form = new FormData();
        form.append("file", file);
        request.send(form);
    });
}

function outcome(request) {
    const { status } = request,
        answer = parsed(request.responseText);
    if (status === 401) askForKey();
    if (status === 429) return { status, retryAfter: Number(request.getResponseHeader("Retry-After")) || 1 };
    if (status >= 200 && status < 300 && answer)
        return { status, accepted: answer.success_count, rejected: answer.error_count, errors: answer.errors ?? [] };
    return { status, reason: said(answer && answer.detail) ?? `The server answered ${status}.` };
}

function parsed(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}

function said(detail) {
    // a sentence, or the list of a validator
    if (typeof detail === "string") return detail;
    return Array.isArray(detail) ? detail.map((d) => d.msg).join("; ") : null;
}

function askForKey() {
    if (!byId("keyForm").hidden) return;
    byId("keyForm").hidden = false;
    byId("key").focus();
}

export function start(whenKeyChanges) {
    changed = whenKeyChanges;
    byId("keyForm").addEventListener("submit", (event) => {
        event.preventDefault();
        key = byId("key").value;
        sessionStorage.setItem("key", key); // of this tab, until it is closed
        byId("keyForm").hidden = true;
        changed();
    });
}
