// SPDX-License-Identifier: MIT
// A sample file whose last event is now: three metrics, an event every two seconds for ten minutes, odd values planted.

const EVERY = 2,
    LONG = 600; // seconds
const SEED = 3; // one with which nothing but the planted values is odd
const ODD = { cpu: { 210: 97 }, latency: { 150: 240, 268: 310 }, temperature: { 240: 12.5 } }; // at which event, and what

// The same numbers each time (mulberry32): a sample that shows now one thing and now another would only confuse.
function randomFrom(seed) {
    return () => {
        seed = (seed + 0x6d2b79f5) | 0;
        let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

export function sampleFile(now = Date.now()) {
    const random = randomFrom(SEED),
        start = Math.floor(now / 1000) - LONG;
    const noise = (size) => size * (2 * random() - 1);
    const ordinary = {
        cpu: (t) => 38 + 3 * Math.sin(t / 20) + noise(4),
        latency: () => 42 + noise(11),
        temperature: (t) => 21 + 0.2 * Math.sin(t / 60) + noise(0.4),
    };
    const lines = ["metric,value,timestamp"];
    for (let i = 0; i < LONG / EVERY; i++) {
        const t = i * EVERY;
        for (const [metric, value] of Object.entries(ordinary)) {
            const at = new Date((start + t) * 1000).toISOString().slice(0, 19);
            lines.push(`${metric},${(ODD[metric][i] ?? value(t)).toFixed(2)},${at}Z`);
        }
    }
    return new File([lines.join("\n") + "\n"], "sample.csv", { type: "text/csv" });
}
