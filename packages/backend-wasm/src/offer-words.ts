// A group that is offered: where its first step is, how many chunks, for how many threads.

export const step = 0;
export const chunks = 4;
export const threads = 8;
