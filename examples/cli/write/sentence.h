/* SPDX-License-Identifier: MIT
 * sentence.h - a verdict as a sentence: what came, what is usual, how far off it is, and what else is to be known.
 */
#ifndef CLI_SENTENCE_H
#define CLI_SENTENCE_H

#include "common/text.h"
#include "write/record.h"

/** What a sentence ends with where an episode begins and nothing else is to be said. */
#define CLI_FIRST_OF_EPISODE "first of an episode"

/** Appends the sentence of a verdict by a detector of that configuration, printable on a terminal. What is said of an
 *  episode is what is known when the event comes. */
void cli_add_sentence(cli_buffer *buffer, const anomaly_config *config, const cli_record *record);

/** Appends how long an episode lasted and how many of its events were odd: "12m, 24 odd events". */
void cli_add_episode(cli_buffer *buffer, const cli_episode *episode);

#endif
