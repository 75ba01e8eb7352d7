/*
 * A plan is words in memory: the number of groups, then the groups. A group is its number of steps, and its
 * number of chunks, or 0 if it is not worth more than one thread, then its steps. The steps of a group do not
 * depend on each other. A chunk is a part of a step's units.
 */

export const groups = 1;
export const group = 2;
export const step = 6;
