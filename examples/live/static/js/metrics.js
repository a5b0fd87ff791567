// SPDX-License-Identifier: MIT
// The list of metrics. The server searches; the page holds the few that are shown, however many there are.

import { metrics } from "./api.js";
import { after, byId, element, setText } from "./dom.js";
import { count, number, when } from "./format.js";

const SHOWN = 200,
    EVERY = 2000; // milliseconds
let current = null,
    choose = () => {},
    rows = new Map(),
    due = 0,
    asked = null,
    listed = () => {};

function row(name) {
    const [last, odd] = [element("span", { class: "last" }), element("span", { class: "count" })];
    const button = element(
        "button",
        { type: "button", onclick: () => choose(name) },
        element("span", { class: "name", title: name }, name),
        odd,
        last,
    );
    return { item: element("li", {}, button), button, last, odd };
}

function update(made, { name, value, time, anomalies }) {
    setText(made.last, value === null ? "" : `${number(value)} at ${when(time)}`);
    setText(made.odd, count(anomalies));
    made.odd.title = anomalies === 1 ? "1 anomaly" : `${count(anomalies)} anomalies`;
    made.odd.hidden = anomalies === 0;
    if (name === current) made.button.setAttribute("aria-current", "true");
    else made.button.removeAttribute("aria-current");
}

function render(list, total) {
    const place = byId("metricList"),
        names = new Set(list.map((metric) => metric.name));
    for (const [name, made] of rows) {
        if (names.has(name)) continue;
        made.item.remove();
        rows.delete(name);
    }
    list.forEach((metric, i) => {
        if (!rows.has(metric.name)) rows.set(metric.name, row(metric.name));
        const made = rows.get(metric.name);
        update(made, metric);
        if (place.children[i] !== made.item) place.insertBefore(made.item, place.children[i] ?? null);
    });
    const text = byId("search").value.trim(),
        more = total - list.length;
    setText(
        byId("metricMore"),
        more > 0
            ? `and ${count(more)} more: search to see them`
            : total === 0
              ? text
                  ? "No metric has that in its name."
                  : "None yet."
              : "",
    );
    listed(list);
}

async function ask() {
    for (;;) {
        due = Date.now() + EVERY;
        const text = byId("search").value.trim(),
            answer = await metrics(text, SHOWN);
        if (answer && text === byId("search").value.trim()) return render(answer.list, answer.total);
        if (!answer) return;
    }
}

export function refresh() {
    asked ??= ask().finally(() => (asked = null));
    return asked;
}

export function refreshIfDue() {
    if (Date.now() >= due && document.visibilityState === "visible") refresh();
}

export function select(name) {
    current = name;
    for (const [of, made] of rows) {
        if (of === name) made.button.setAttribute("aria-current", "true");
        else made.button.removeAttribute("aria-current");
    }
}

export function start(whenChosen, whenListed) {
    choose = whenChosen;
    listed = whenListed;
    byId("search").addEventListener("input", after(200, refresh));
}
