// Words of a thread. Those in the first line are written by the first thread, the others by itself.

/** Which of its chunks comes next: `sequence + chunk`. The thread sleeps on it. */
export const ticket = 0;
/** Two descriptions of a group, see `offer-words.ts`: for odd and even numbers. */
export const offers = 16;
/** How many chunks it has run so far. */
export const chunks = 64;
/** Whether it sleeps, or is about to. */
export const asleep = 68;
/** The number of the last letter that it has read. */
export const acknowledged = 72;
