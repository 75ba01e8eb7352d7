/**
 * The number of an instruction: one byte; or 0x100 and the number of one with vectors; or a prefix of another kind, 0xfc or 0xfe,
 * and a byte. They are named as in the specification, in a file for each type: constants, so that a bundle has the numbers alone.
 */
export type Opcode = number;
