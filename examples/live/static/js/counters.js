// SPDX-License-Identifier: MIT
// The counters above: the server counts, so that every page shows the same.

import { health } from "./api.js";
import { byId, setText } from "./dom.js";
import { count } from "./format.js";
import { current } from "./shown.js";

const SHOWN = {
    anomalies: "anomalies",
    lastMinute: "anomalies_last_minute",
    events: "processed",
    metrics: "metrics",
    queue: "queue_size",
};

export async function refresh() {
    const now = await health();
    if (!now) return;
    for (const [id, name] of Object.entries(SHOWN)) setText(byId(id), count(now[name]));
    for (const id of ["anomalies", "lastMinute"]) byId(id).parentElement.classList.toggle("some", now[SHOWN[id]] > 0);
    const wrong = Object.entries(now.parts).filter(([, state]) => state !== "ok" && state !== "off");
    setText(byId("trouble"), wrong.map(([part, state]) => `${part}: ${state}`).join(". "));
    document.body.classList.toggle("empty", current() === null && now.processed + now.metrics + now.anomalies === 0);
    document.title =
        now.anomalies_last_minute > 0 ? `(${count(now.anomalies_last_minute)}) Live anomalies` : "Live anomalies";
}
