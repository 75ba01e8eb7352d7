import * as exported from "@gradloom/engine";

export const result: boolean = Object.keys(exported).length > 0;
export const expected = true;
