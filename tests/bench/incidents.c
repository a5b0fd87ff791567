/* SPDX-License-Identifier: MIT
 * incidents.c - what happens in five trades: ordinary days, and incidents that somebody should be told of. */
#include "incidents.h"

#include <math.h>
#include <stdlib.h>

/* ---- logins: counts each five minutes, a rhythm of days and weeks; surges, nights that are busy, outages ---- */

static double usual_logins(int64_t t_ns, double mood)
{
    double hour = (double)(t_ns % DAY) / (double)HOUR, morning = (hour - 11) / 2.8, afternoon = (hour - 16) / 2.2;
    double mean = 8 + 140 * exp(-0.5 * morning * morning) + 90 * exp(-0.5 * afternoon * afternoon);
    return mean * (t_ns / DAY % 7 >= 5 ? 0.55 : 1.0) * mood;
}

static void plan_logins(story *s, random_state *r)
{
    static const char *const WHAT[] = {"surge", "busy night", "outage"};
    static const int AT_HOUR[] = {10, 2, 11};
    for (int k = 0; k < 11; k++) {
        int64_t day = time_of(r, k, 11, 16 * DAY, 59 * DAY, 2 * DAY) / DAY * DAY;
        int64_t from = day + AT_HOUR[k % 3] * HOUR + whole_between(r, 0, 11) * 5 * MINUTE;
        add_incident(s, from, from + whole_between(r, 9, 18) * 5 * MINUTE, 0, WHAT[k % 3]);
    }
}

static void tell_logins(story *s, uint64_t seed)
{
    random_state r = {seed};
    double mood = 1;
    s->days = 60;
    s->step_ns = 5 * MINUTE;
    plan_logins(s, &r);
    for (int64_t t = 0; t < s->days * DAY; t += s->step_ns) {
        const incident *now = incident_at(s, t);
        mood = t % DAY ? mood : exp(0.06 * normal(&r));
        double mean = usual_logins(t, mood);
        if (now)
            mean = now->what[0] == 's' ? mean * 3.2 : now->what[0] == 'b' ? 100 : 0.5;
        add_event(s, t, poisson(&r, mean), 0);
    }
}

/* ---- disk: latency each second, lognormal; single stalls, slow minutes ---- */

static void tell_disk(story *s, uint64_t seed)
{
    random_state r = {seed};
    double slow[20];
    s->days = 6;
    s->step_ns = SECOND;
    for (int k = 0; k < 20; k++) {
        int64_t from = time_of(&r, k, 20, 6 * DAY / 5, 59 * DAY / 10, 3 * HOUR) / SECOND * SECOND;
        int64_t length = k % 2 ? 1 : whole_between(&r, 60, 179);
        slow[k] = k % 2 ? between(&r, 60, 200) : between(&r, 3, 6);
        add_incident(s, from, from + length * SECOND, 0, k % 2 ? "stall" : "slow minutes");
    }
    for (int64_t t = 0; t < s->days * DAY; t += s->step_ns) {
        const incident *now = incident_at(s, t);
        double x = exp(1 + 0.6 * normal(&r));
        if (now)
            x = now->what[1] == 't' ? exp(1) * slow[now - s->incident] : x * slow[now - s->incident];
        add_event(s, t, x, 0);
    }
}

/* ---- money: two thousand payments a day at any time, lognormal; some absurd ones ---- */

static void tell_money(story *s, uint64_t seed)
{
    enum { COUNT = 60000, ODD = 20 };
    random_state r = {seed};
    double t = 0;
    int odd = 0;
    s->days = COUNT / 2000;
    s->step_ns = DAY / 2000;
    int64_t next = time_of(&r, 0, ODD, 5000, COUNT - 100, 1);
    for (int i = 0; i < COUNT; i++) {
        t -= log(1 - random_unit(&r)) / 2000;
        double x = exp(3.4 + 1.1 * normal(&r));
        int64_t t_ns = (int64_t)(t * (double)DAY);
        if (i == next) {
            x = exp(3.4 + between(&r, 6.2, 8.5));
            add_incident(s, t_ns, t_ns + SECOND, 0, "amount");
            next = ++odd < ODD ? time_of(&r, odd, ODD, 5000, COUNT - 100, 1) : COUNT;
        }
        add_event(s, t_ns, floor(x * 100 + 0.5) / 100, 0);
    }
}

/* ---- temperature: a room each minute, in tenths; jumps, drifts, a sensor that is stuck or noisy ---- */

static void plan_temperature(story *s, random_state *r)
{
    static const char *const WHAT[] = {"jump", "drift", "stuck", "noisy"};
    for (int k = 0; k < 16; k++) {
        int64_t from = time_of(r, k, 16, 10 * DAY, 39 * DAY, 6 * DAY / 5) / MINUTE * MINUTE;
        int64_t length = k % 4 == 1 ? 180 : k % 4 == 2 ? 360 : whole_between(r, 60, 239);
        add_incident(s, from, from + length * MINUTE, 0, WHAT[k % 4]);
    }
}

static double change_temperature(const incident *now, int64_t t_ns, double jump, double stuck, double x, random_state *r)
{
    switch (now->what[0]) {
    case 'j': return x + jump;
    case 'd': return x + 6 * (double)(t_ns - now->from_ns) / (double)(now->to_ns - now->from_ns);
    case 's': return stuck;
    default: return x + 0.8 * normal(r);
    }
}

static void tell_temperature(story *s, uint64_t seed)
{
    random_state r = {seed};
    double wander = 0, jump = 0, stuck = 0;
    s->days = 40;
    s->step_ns = MINUTE;
    plan_temperature(s, &r);
    for (int64_t t = 0; t < s->days * DAY; t += s->step_ns) {
        const incident *now = incident_at(s, t);
        wander = 0.98 * wander + 0.03 * normal(&r);
        double x = 21 + 2.2 * sin(6.283185307179586 * (double)(t % DAY) / (double)DAY - 1.9) + wander + 0.05 * normal(&r);
        if (now && t == now->from_ns) {
            stuck = x;
            jump = between(&r, 2.5, 5) * (one_in(&r, 2) ? 1 : -1);
        }
        if (now)
            x = change_temperature(now, t, jump, stuck, x, &r);
        add_event(s, t, floor(x * 10 + 0.5) / 10, 0);
    }
}

/* ---- web: requests of a client in a minute, 150 clients, now and then each; bots that come, ask and go ---- */

enum { CLIENTS = 150, BOTS = 12 };

/* A client's usual requests in an active minute: Poisson's with a mean that is exponential twice (a gamma of 2). */
static double requests(random_state *r, double mean)
{
    double gamma = -log(1 - random_unit(r)) - log(1 - random_unit(r));
    return 1 + poisson(r, mean * gamma / 2);
}

static int by_time(const void *a, const void *b)
{
    const happening *x = a, *y = b;
    return x->t_ns != y->t_ns ? (x->t_ns > y->t_ns) - (x->t_ns < y->t_ns) : (x->key > y->key) - (x->key < y->key);
}

static void tell_clients(story *s, random_state *r)
{
    for (uint32_t c = 0; c < CLIENTS; c++) {
        double mean = exp(1.2 + 0.7 * normal(r)), active = between(r, 0.01, 0.05);
        for (int64_t t = 0; t < s->days * DAY; t += MINUTE) {
            double rhythm = 1 + 0.8 * sin(6.283185307179586 * (double)(t % DAY) / (double)DAY);
            if (random_unit(r) < active * rhythm)
                add_event(s, t + (int64_t)random_below(r, (uint64_t)MINUTE), requests(r, mean), c);
        }
    }
}

static void tell_web(story *s, uint64_t seed)
{
    random_state r = {seed};
    s->days = 6;
    s->step_ns = MINUTE;
    tell_clients(s, &r);
    for (uint32_t k = 0; k < BOTS; k++) {
        int64_t from = time_of(&r, (int)k, BOTS, 6 * DAY / 5, 59 * DAY / 10, 4 * HOUR), length = whole_between(&r, 5, 29);
        double mean = between(&r, 120, 600);
        for (int64_t i = 0; i < length; i++)
            add_event(s, from + i * MINUTE, poisson(&r, mean), CLIENTS + k);
        add_incident(s, from, from + length * MINUTE, CLIENTS + k, "bot");
    }
    qsort(s->event, s->count, sizeof *s->event, by_time);
}

const trade TRADE[TRADES] = {
    {"logins", tell_logins},           {"disk", tell_disk}, {"money", tell_money},
    {"temperature", tell_temperature}, {"web", tell_web},
};

story story_of(const trade *which, uint64_t seed)
{
    story s = {.step_ns = 0};
    which->tell(&s, seed);
    return s;
}
