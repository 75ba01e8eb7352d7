import * as exported from "@gradloom/backend-js";

export const result: boolean = Object.keys(exported).length > 0;
export const expected = true;
