// SPDX-License-Identifier: MIT
// The list of anomalies, newest first. The page keeps the last ones only; the server has the others.

import { byId, element, oncePerFrame, setText } from "./dom.js";
import { distance, expected, number, some, when } from "./format.js";

const KEPT = 500,
    STEP = 50,
    QUIET = 5000; // milliseconds between two announcements
let anomalies = [],
    pending = [],
    known = new Set(),
    shown = STEP,
    chosen = () => {};
let unsaid = 0,
    saidAt = 0,
    sayTimer = 0;

function item(anomaly, fresh) {
    const button = element(
        "button",
        { type: "button", onclick: () => chosen(anomaly) },
        element("span", { class: "name" }, anomaly.metric),
        element("span", { class: "value" }, number(anomaly.value)),
        element("span", { class: "usual" }, [expected(anomaly), distance(anomaly)].filter(Boolean).join(": ")),
        element("span", { class: "when" }, when(anomaly.time)),
    );
    return element("li", fresh ? { class: "fresh" } : {}, button);
}

const render = oncePerFrame(() => {
    const list = byId("feed"),
        arrived = pending.slice(-shown);
    pending = [];
    list.prepend(...arrived.map((anomaly) => item(anomaly, true)).reverse());
    while (list.children.length > shown) list.lastChild.remove();
    for (const anomaly of anomalies.slice(list.children.length, shown)) list.append(item(anomaly, false));
    byId("feedEmpty").hidden = anomalies.length > 0;
    byId("clear").disabled = anomalies.length === 0;
    byId("more").hidden = anomalies.length <= shown;
});

function say() {
    // to a screen reader, now and then: how many came, and the last
    clearTimeout(sayTimer);
    const wait = saidAt + QUIET - Date.now();
    if (wait > 0) return (sayTimer = setTimeout(say, wait));
    const last = anomalies[0];
    if (last)
        setText(
            byId("news"),
            `${some(unsaid, "new anomaly", "new anomalies")}, the last: ` +
                `${last.metric} ${number(last.value)}, ${expected(last)}`,
        );
    saidAt = Date.now();
    unsaid = 0;
}

function remember(id) {
    known.add(id);
    if (known.size > 4 * KEPT) known = new Set([...known].slice(-2 * KEPT));
}

// Adds what is not there yet, given oldest first; live: it is told, and it flashes.
export function add(list, live) {
    const fresh = list.filter((anomaly) => !known.has(anomaly.id));
    if (fresh.length === 0) return;
    fresh.forEach((anomaly) => remember(anomaly.id));
    anomalies = [...fresh.toReversed(), ...anomalies].slice(0, KEPT);
    if (live) {
        pending.push(...fresh);
        pending = pending.slice(-KEPT);
        unsaid += fresh.length;
        say();
    } else {
        pending = [];
        byId("feed").replaceChildren();
    }
    render();
}

export function start(whenChosen) {
    chosen = whenChosen;
    byId("more").addEventListener("click", () => {
        shown += STEP;
        render();
    });
    byId("clear").addEventListener("click", () => {
        anomalies = [];
        pending = [];
        shown = STEP;
        byId("feed").replaceChildren();
        render();
    });
    render();
}
