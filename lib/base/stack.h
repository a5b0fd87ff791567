/* SPDX-License-Identifier: MIT */
/* Keeps the promise on the stack in anomaly.h: no call takes more than 16 KB while sizes are usual. What is larger in
 * rare cases is done in two functions of their own, one with a short array and one with the longest, and both go on to
 * the same work. */
#ifndef AN_STACK_H
#define AN_STACK_H

#if defined(__GNUC__)
#define AN_OWN_STACK __attribute__((noinline)) /* its arrays do not lie in the frame of the function that calls it */
#else
#define AN_OWN_STACK
#endif

#endif
