/* SPDX-License-Identifier: MIT
 * latency.h - single events: the worst one, late ones, those that make the window grow; and memory. */
#ifndef LATENCY_H
#define LATENCY_H

void bench_worst(int repeats);
void bench_late(int repeats);
void bench_growth(int repeats);
void bench_memory(int repeats);

#endif
