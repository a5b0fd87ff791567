// SPDX-License-Identifier: MIT
// Puts the parts of the page together: what arrives goes to the chart, the lists and the counters.

import * as api from "./api.js";
import * as chart from "./chart.js";
import * as counters from "./counters.js";
import { byId, setText } from "./dom.js";
import * as feed from "./feed.js";
import * as metrics from "./metrics.js";
import { sampleFile } from "./sample.js";
import * as shown from "./shown.js";
import { Connection } from "./socket.js";
import * as upload from "./upload.js";

const RELOADED = 500; // anomalies
const EVERY = 1000; // milliseconds between two looks at what only the server knows

const connection = new Connection(api.socketAddress, { message: received, state: connectionIs });

function connectionIs(state, wait) {
    const before = byId("connection").dataset.state;
    if (state === "closed" && before !== state) api.anomalies(1); // refused for want of a key? Then this asks for it
    byId("connection").dataset.state = state;
    setText(
        byId("connectionText"),
        { open: "Live", connecting: "Connecting", closed: `Disconnected, next try in ${wait} s` }[state],
    );
    byId("reconnect").hidden = state !== "closed";
    if (state === "open") reload();
}

async function reload() {
    // after each connection: what came while there was none
    console.info("WebSocket connected");
    feed.add(await api.anomalies(RELOADED), false);
    shown.again();
    look();
}

function received(message) {
    if (!message.anomaly_id) return;
    const anomaly = api.anomaly(message);
    feed.add([anomaly], true);
    if (shown.current() === null) shown.select(anomaly.metric);
}

function listed(list) {
    // nothing is shown yet: the metric with the most anomalies
    if (shown.current() === null && list.length > 0)
        shown.select(list.reduce((best, m) => (m.anomalies > best.anomalies ? m : best)).name);
}

function look() {
    if (document.visibilityState !== "visible" || byId("connection").dataset.state !== "open") return;
    counters.refresh();
    shown.follow();
    metrics.refreshIfDue();
}

function showChart() {
    // which is far away on a phone
    byId("chart").scrollIntoView({ block: "nearest" });
}

function chosenMetric(name) {
    showChart();
    shown.select(name);
}

async function chosenAnomaly(anomaly) {
    showChart();
    if (anomaly.metric === shown.current()) await shown.follow();
    else await shown.select(anomaly.metric);
    chart.chooseAnomaly(anomaly);
}

function sayHowToSend() {
    const address = new URL("events/raw", location.origin + location.pathname);
    const event = `{"metric": "cpu", "value": 41.5, "timestamp": '$(date +%s)'}`;
    setText(byId("curl"), `curl ${address.href} \\\n  -H 'Content-Type: application/json' \\\n  -d '${event}'`);
    byId("copy").addEventListener("click", async () => {
        await navigator.clipboard.writeText(byId("curl").textContent);
        setText(byId("copy"), "Copied");
    });
}

api.start(() => connection.again());
chart.start();
feed.start(chosenAnomaly);
metrics.start(chosenMetric, listed);
upload.start(look);
byId("sample").addEventListener("click", () => upload.add([sampleFile()]));
byId("reconnect").addEventListener("click", () => connection.now());
sayHowToSend();
connection.open();
setInterval(look, EVERY);
