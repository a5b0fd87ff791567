// SPDX-License-Identifier: MIT
// A WebSocket that comes back: it waits longer after each failure, says what it does, and notices a line that is dead.

const FIRST_WAIT = 500,
    LONGEST_WAIT = 15000,
    SILENCE = 20000; // milliseconds

export class Connection {
    // told: { message(object), state("connecting" | "open" | "closed", seconds until the next try) }
    constructor(address, told) {
        this.address = address; // a function: the key may come later
        this.told = told;
        this.failures = 0;
        this.timer = 0;
        window.addEventListener("online", () => this.now());
        document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.now());
    }

    open() {
        clearTimeout(this.timer);
        this.told.state("connecting");
        const [address, protocols] = this.address();
        const socket = (this.socket = new WebSocket(address, protocols));
        socket.addEventListener("open", () => this.opened(socket));
        socket.addEventListener("message", (event) => this.received(socket, event.data));
        socket.addEventListener("close", () => this.closed(socket));
    }

    now() {
        // a try at once, unless there is a connection or a try
        if (this.socket && this.socket.readyState <= WebSocket.OPEN) return;
        this.failures = 0;
        this.open();
    }

    again() {
        // a new connection, whatever there is
        const old = this.socket;
        this.socket = null;
        if (old) old.close();
        this.failures = 0;
        this.open();
    }

    send(object) {
        if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(object));
    }

    opened(socket) {
        if (socket !== this.socket) return;
        this.failures = 0;
        this.told.state("open");
        this.listen(socket);
    }

    listen(socket) {
        // asks after a long silence; an answer, or anything else, must come within as long again
        clearTimeout(this.timer);
        this.timer = setTimeout(() => {
            if (socket.readyState !== WebSocket.OPEN) return;
            socket.send("ping");
            this.timer = setTimeout(() => this.lost(socket), SILENCE);
        }, SILENCE);
    }

    received(socket, text) {
        if (socket !== this.socket) return;
        this.listen(socket);
        if (text === "pong") return;
        try {
            this.told.message(JSON.parse(text));
        } catch (error) {
            console.error("a message that this page does not understand", error);
        }
    }

    lost(socket) {
        // close() of a dead line would wait for its other end
        socket.close();
        this.closed(socket);
    }

    closed(socket) {
        if (socket !== this.socket) return;
        this.socket = null;
        clearTimeout(this.timer);
        const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures++);
        this.retryAt = Date.now() + longest * (0.7 + 0.3 * Math.random()); // browsers come back one after another
        this.wait();
    }

    wait() {
        const left = this.retryAt - Date.now();
        if (left <= 0) return this.open();
        this.told.state("closed", Math.ceil(left / 1000));
        this.timer = setTimeout(() => this.wait(), Math.min(left, 1000));
    }
}
