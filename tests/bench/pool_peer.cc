// SPDX-License-Identifier: MIT
// pool_peer.cc - what one would write instead of a pool: an unordered_map from key to a window of the last 300 values with
// Welford's mean and M2, moved by what comes and what goes. No times, no flags, no limits, and wrong after a spike.
//
//     pool_peer KEYS EVENTS
//
// Prints the nanoseconds of processor time of an event whose key is known, text of the key not counted.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

struct window {
    std::deque<double> values;
    double mean = 0, m2 = 0;

    double update(double x)
    {
        double n = static_cast<double>(values.size()), score = n > 1 ? std::fabs(x - mean) / std::sqrt(m2 / (n - 1)) : 0;
        values.push_back(x);
        if (values.size() <= 300) {
            double distance = x - mean;
            mean += distance / (n + 1);
            m2 += distance * (x - mean);
        } else {
            double old = values.front(), before = mean, distance = x - old;
            values.pop_front();
            mean += distance / n;
            m2 += distance * ((x - mean) + (old - before));
        }
        return score;
    }
};

static uint64_t state = 1;
static double uniform() // splitmix64
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static double now()
{
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

static void write_key(std::string &text, uint32_t key)
{
    text.assign("host-00000000");
    for (int i = 0; i < 8; i++)
        text[5 + static_cast<size_t>(i)] = "0123456789abcdef"[(key * 2654435761u) >> 4 * i & 15];
}

int main(int argc, char **argv)
{
    double keys = argc > 1 ? std::atof(argv[1]) : 1e6;
    size_t count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 5000000;
    std::vector<uint32_t> key(count);
    std::unordered_map<std::string, window> windows;
    std::string text;
    double sum = 0;
    for (auto &k : key)
        k = static_cast<uint32_t>(std::fmin(std::exp(uniform() * std::log(keys + 1)), keys)) - 1;
    double start = now();
    for (auto k : key) {
        write_key(text, k);
        sum += static_cast<double>(text[7]);
    }
    double texts = now() - start;
    for (int pass = 0; pass < 2; pass++) {
        start = now();
        for (auto k : key) {
            write_key(text, k);
            sum += windows[text].update(uniform());
        }
    }
    std::printf("%.1f\n", (now() - start - texts) / static_cast<double>(count) * 1e9);
    return sum == 0;
}
